/** File systems that S3QL 6.3.0 made: they mount, agree with the manifest in every attribute, take writes, and mount again. */
import { createHash } from 'node:crypto';
import { lstat, readFile, readlink, readdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { installDebianPackages } from '../support/debian-packages.ts';
import { FIXTURE_NAMES, FIXTURE_PASSPHRASE, UnpackedFixture } from '../support/fixtures.ts';
import { type ManifestEntry, readManifest } from '../support/manifest.ts';
import { MountedFileSystem } from '../support/mounted-file-system.ts';
import { mustRun } from '../support/run-program.ts';

test.each(FIXTURE_NAMES)('%s mounts, is what the manifest says, takes writes and mounts again', async (name) => {
  installDebianPackages('attr');
  using fixture = new UnpackedFixture(name);
  await using system = await MountedFileSystem.create({
    storeDirectory: fixture.directory,
    ...(name.startsWith('aes') ? { passphrase: FIXTURE_PASSPHRASE } : {}),
  });
  const manifest = await readManifest();
  expect(await readTree(system.mountpoint)).toEqual(manifest);

  await writeFile(join(system.mountpoint, 'docs/hello.txt'), 'changed');
  await writeFile(join(system.mountpoint, 'docs/new.txt'), 'new'.repeat(100_000));
  await system.unmount();
  await system.removeCache();
  await system.mount();
  expect(await readFile(join(system.mountpoint, 'hardlink.txt'), 'utf8')).toBe('changed');
  expect(await readFile(join(system.mountpoint, 'docs/new.txt'), 'utf8')).toBe('new'.repeat(100_000));
  const untouched = (path: string): boolean => !['docs', 'docs/hello.txt', 'hardlink.txt', 'docs/new.txt'].includes(path);
  const only = (tree: Readonly<Record<string, ManifestEntry>>): unknown =>
    Object.fromEntries(Object.entries(tree).filter(([path]) => untouched(path)));
  expect(only(await readTree(system.mountpoint))).toEqual(only(manifest));
  expect(await system.brokenInvariants()).toEqual([]);
});

/** The tree below the mountpoint in the manifest's words. */
async function readTree(top: string): Promise<Record<string, ManifestEntry>> {
  const tree: Record<string, ManifestEntry> = {};
  const visit = async (directory: string): Promise<void> => {
    for (const entry of await readdir(directory)) {
      const path = join(directory, entry);
      if (path === join(top, 'lost+found')) continue;
      tree[relative(top, path)] = await readEntry(path);
      if ((await lstat(path)).isDirectory()) await visit(path);
    }
  };
  await visit(top);
  return tree;
}

async function readEntry(path: string): Promise<ManifestEntry> {
  const status = await lstat(path, { bigint: true });
  const xattrs = await readXattrs(path);
  return {
    mode: `0o${status.mode.toString(8)}`,
    uid: Number(status.uid),
    gid: Number(status.gid),
    mtime_ns: String(status.mtimeNs),
    ...(status.isFile()
      ? {
          size: Number(status.size),
          nlink: Number(status.nlink),
          sha256: createHash('sha256')
            .update(await readFile(path))
            .digest('hex'),
        }
      : {}),
    ...(status.isSymbolicLink() ? { target: await readlink(path) } : {}),
    ...(status.isCharacterDevice() || status.isBlockDevice() ? { rdev: majorAndMinor(Number(status.rdev)) } : {}),
    ...(Object.keys(xattrs).length > 0 ? { xattrs } : {}),
  };
}

/** Of small numbers, as they were long before 64-bit ones. */
function majorAndMinor(rdev: number): [number, number] {
  return [rdev >> 8, rdev & 0xff];
}

async function readXattrs(path: string): Promise<Record<string, string>> {
  const { stdout } = await mustRun('getfattr', ['-h', '-d', '-m', '-', '-e', 'hex', '--absolute-names', path]);
  return Object.fromEntries([...stdout.matchAll(/^([^#\n=][^=\n]*)=(?:0x([0-9a-f]*))?$/gm)].map(([, key = '', hex = '']) => [key, hex]));
}
