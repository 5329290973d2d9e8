import { expect, test } from 'vitest';
import type { ControlFile } from './control-file.ts';
import { controlRequest } from './control-request.ts';
import { loggingValue } from './logging-value.ts';
import type { ControlAction } from './options/ctrl.ts';

test.each<[ControlAction, readonly string[], readonly unknown[]]>([
  ['flushcache', [], ['flushCache']],
  ['dropcache', [], ['dropCache']],
  ['backup-metadata', [], ['backUpMetadata']],
  ['cachesize', ['10240'], ['setCacheSize', 10_485_760]],
  ['upload-limit', ['08:00-18:00=1M,otherwise=2M'], ['setBandwidthLimit', 'upload-limit', '08:00-18:00=1M,otherwise=2M']],
  ['download-limit', ['unlimited'], ['setBandwidthLimit', 'download-limit', 'unlimited']],
  ['log', ['info'], ['setLogLevel', 'info', []]],
  ['log', ['debug', 'fuse', 'blocks/upload'], ['setLogLevel', 'debug', ['fuse', 'blocks/upload']]],
])('%s %j asks the mount for just that', async (action, values, expected) => {
  const calls: unknown[] = [];
  const control = new Proxy({} as ControlFile, {
    get:
      (_target, name) =>
      (...args: readonly unknown[]) =>
        Promise.resolve(calls.push([name, ...args])),
  });
  await controlRequest(action, values)(control);
  expect(calls).toEqual([expected]);
});

test.each<[ControlAction, readonly string[], string]>([
  ['flushcache', ['x'], '"flushcache" takes nothing more, but got: x'],
  ['cachesize', [], '"cachesize" takes a number of KiB'],
  ['cachesize', ['0'], '"cachesize": expected a whole number'],
  ['cachesize', ['1', '2'], '"cachesize 1" takes nothing more, but got: 2'],
  ['upload-limit', [], '"upload-limit" takes a rate'],
  ['upload-limit', ['1M', '2M'], '"upload-limit 1M" takes nothing more, but got: 2M'],
  ['download-limit', ['fast'], '"download-limit": "fast" is no rate'],
  ['log', [], '"log" takes one of debug, info, warn'],
  ['log', ['error'], '"log" takes one of debug, info, warn'],
  ['log', ['info', 'fuse'], 'modules can only be named for "log debug"'],
  ['log', ['debug', `fuse',`], `'fuse',' is no name of a module`],
])('%s %j is refused with exit code 2', (action, values, message) => {
  expect(() => controlRequest(action, values)).toThrow(
    expect.objectContaining({ name: 'UserError', exitCode: 2, message: expect.stringContaining(message) as string }),
  );
});

test('levels are numbers as Python counts them; debug without modules is debug of all', () => {
  expect(loggingValue('debug', [])).toBe(`(10, 'all')`);
  expect(loggingValue('debug', ['fuse', 'blocks'])).toBe(`(10, 'fuse,blocks')`);
  expect(loggingValue('info', [])).toBe(`(20, '')`);
  expect(loggingValue('warn', [])).toBe(`(30, '')`);
});
