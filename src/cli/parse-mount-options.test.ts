import { expect, test } from 'vitest';
import type { UserError } from '../util/errors.ts';
import { parseMountOptions } from './parse-mount-options.ts';

const SOURCE = ['s3://region/bucket', '/mnt'];

function refusal(...argv: readonly string[]): { message: string; exitCode: number } {
  try {
    parseMountOptions([...SOURCE, ...argv]);
  } catch (error) {
    const { message, exitCode } = error as UserError;
    return { message, exitCode };
  }
  throw new Error('was accepted');
}

test('a line of fstab, as mount(8) passes it on, means the long options of the same names', () => {
  const options = parseMountOptions([
    ...SOURCE,
    '-sn',
    '-o',
    'rw,noatime,_netdev,allow-other,cachesize=2048,compress=zlib-1,x-systemd.automount',
  ]);
  expect(options).toMatchObject({
    storageUrl: 's3://region/bucket',
    mountpoint: '/mnt',
    allowOther: true,
    cacheSizeBytes: 2048 * 1024,
    compress: { algorithm: 'zlib', level: 1 },
    kernelFlags: ['noatime'],
  });
});

test('all of -o adds up; options given by name count more', () => {
  const options = parseMountOptions(['-onodev,nosuid', ...SOURCE, '--cachesize=1', '-o', 'cachesize=2,dev']);
  expect(options).toMatchObject({ cacheSizeBytes: 1024, kernelFlags: ['nodev', 'nosuid', 'dev'] });
});

test('a comma inside double quotes belongs to the value', () => {
  expect(parseMountOptions([...SOURCE, '-o', 'backend-options="no-ssl,tcp-timeout=3",nfs'])).toMatchObject({
    backendOptions: { 'no-ssl': true, 'tcp-timeout': '3' },
    nfs: true,
  });
});

test('words that concern only fstab or other programs change nothing', () => {
  const words = 'defaults,auto,noauto,user,nouser,users,owner,group,mand,nomand,nofail,nobootwait,comment=x,X-mount.mkdir,,';
  expect(parseMountOptions([...SOURCE, '-o', words])).toEqual(parseMountOptions(SOURCE));
});

test('a read-only mount is refused with exit code 35', () => {
  expect(refusal('-o', 'noatime,ro').exitCode).toBe(35);
});

test.each([
  ['frobnicate', "unknown mount option 'frobnicate'"],
  ['cachesize', "mount option 'cachesize' needs a value, as in cachesize=<KiB>"],
  ['nfs=1', "mount option 'nfs' takes no value"],
  ['max-threads=x', "option '--max-threads <n>' argument 'x' is invalid. expected a whole number of at least 1"],
])('-o %s is refused with exit code 2', (word, message) => {
  expect(refusal('-o', word)).toEqual({ message, exitCode: 2 });
});

test('with -s unknown words are ignored', () => {
  expect(parseMountOptions([...SOURCE, '-s', '-o', 'frobnicate,other=1'])).toEqual(parseMountOptions(SOURCE));
});

test('options that exclude or need each other are refused with exit code 2', () => {
  expect(refusal('--allow-other', '-o', 'allow-root').exitCode).toBe(2);
  expect(refusal('--log', 'none')).toMatchObject({ exitCode: 2, message: expect.stringContaining('--fg or --systemd') as string });
  expect(parseMountOptions([...SOURCE, '--log', 'none', '--fg'])).toMatchObject({ log: { kind: 'none' }, foreground: true });
});
