/** The kernel keeps what it was given for a long time; notifications make it ask again. */
import { readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { OpenReplyFlag } from '../../src/fuse/abi/flags.ts';
import { MemoryFileSystem } from '../support/fuse/memory-file-system.ts';
import { TestMount } from '../support/fuse/test-mount.ts';

const LONG_MS = 1_000_000;

class CachedFileSystem extends MemoryFileSystem {
  constructor() {
    super(LONG_MS);
  }

  override open(): { handle: number; openFlags: number } {
    return { handle: 1, openFlags: OpenReplyFlag.KEEP_CACHE };
  }
}

/** A file whose contents, attributes and name the kernel has cached. */
async function cachedFile(mounted: TestMount, fileSystem: MemoryFileSystem): Promise<number> {
  await writeFile(mounted.path('file'), 'old contents');
  expect(await readFile(mounted.path('file'), 'utf8')).toBe('old contents');
  return fileSystem.child(1, Buffer.from('file')).ino;
}

test('attributes and contents of an inode are asked for again, and not before', async () => {
  const fileSystem = new CachedFileSystem();
  await using mounted = await TestMount.create(fileSystem);
  const id = await cachedFile(mounted, fileSystem);
  const node = fileSystem.node(id);
  node.data.set(Buffer.from('new contents'));
  node.mode = 0o100_600;
  expect(await readFile(mounted.path('file'), 'utf8')).toBe('old contents');
  expect(await mounted.mount.notifier.invalidateInode(id)).toBe(true);
  expect(await readFile(mounted.path('file'), 'utf8')).toBe('new contents');
  expect((await stat(mounted.path('file'))).mode & 0o777).toBe(0o600);
});

test('a name is looked up again after its entry was invalidated, expired, deleted, or all were', async () => {
  const { negotiated } = await TestMount.create(new MemoryFileSystem()).then(async (mounted) => {
    await mounted[Symbol.asyncDispose]();
    return mounted.mount;
  });
  const ways: ((mounted: TestMount, id: number) => Promise<boolean>)[] = [
    ({ mount }) => mount.notifier.invalidateEntry(1, Buffer.from('file')),
    ({ mount }, id) => mount.notifier.deleteEntry(1, id, Buffer.from('file')),
  ];
  if (negotiated.features.expireOnly) ways.push(({ mount }) => mount.notifier.invalidateEntry(1, Buffer.from('file'), true));
  if (negotiated.minor >= 44) ways.push(({ mount }) => mount.notifier.incrementEpoch());
  for (const notify of ways) {
    const fileSystem = new CachedFileSystem();
    await using mounted = await TestMount.create(fileSystem);
    const id = await cachedFile(mounted, fileSystem);
    fileSystem.root.children.delete('file');
    expect((await stat(mounted.path('file'))).ino).toBe(id);
    expect(await notify(mounted, id)).toBe(true);
    await expect(stat(mounted.path('file'))).rejects.toMatchObject({ code: 'ENOENT' });
  }
});

test('data can be put into the page cache', async () => {
  const fileSystem = new CachedFileSystem();
  await using mounted = await TestMount.create(fileSystem);
  const id = await cachedFile(mounted, fileSystem);
  expect(await mounted.mount.notifier.store(id, 0n, Buffer.from('put'))).toBe(true);
  expect(await readFile(mounted.path('file'), 'utf8')).toBe('put contents');
});

test('nodes that nobody uses are forgotten when the kernel is asked to', async () => {
  const fileSystem = new CachedFileSystem();
  await using mounted = await TestMount.create(fileSystem);
  const id = await cachedFile(mounted, fileSystem);
  const forgotten = Promise.withResolvers<number>();
  fileSystem.forget = (node) => forgotten.resolve(node);
  const isOldKernel = mounted.mount.negotiated.minor < 45;
  const outcome = await mounted.mount.notifier.prune([id]).catch((error: NodeJS.ErrnoException) => error.code);
  expect(outcome).toBe(isOldKernel ? 'EINVAL' : true);
  expect(isOldKernel ? id : await forgotten.promise).toBe(id);
});

test('what the kernel does not know is no error', async () => {
  await using mounted = await TestMount.create(new MemoryFileSystem());
  expect(await mounted.mount.notifier.invalidateInode(12_345)).toBe(false);
  expect(await mounted.mount.notifier.invalidateEntry(1, Buffer.from('absent'))).toBe(false);
  expect(await mounted.mount.notifier.invalidateEntry(12_345, Buffer.from('absent'))).toBe(false);
});

test("many notifications about a directory whose requests are being served don't stop handlers that need the thread pool", async () => {
  const fileSystem = new CachedFileSystem();
  await using mounted = await TestMount.create(fileSystem);
  const { notifier } = mounted.mount;
  const told: Promise<boolean>[] = [];
  const remove = fileSystem.unlink.bind(fileSystem);
  fileSystem.unlink = async (...args: Parameters<typeof remove>) => {
    // The kernel holds the directory's lock until this is answered, which needs the pool.
    for (let index = 0; index < 50; index += 1) told.push(notifier.invalidateEntry(1, Buffer.from(`name ${index}`)));
    await stat('/');
    await stat('/');
    await remove(...args);
  };
  await cachedFile(mounted, fileSystem);
  await unlink(mounted.path('file'));
  expect(await Promise.all(told)).toEqual(Array(50).fill(false));
});

test('notifications to a mount that is gone are no errors', async () => {
  await using mounted = await TestMount.create(new MemoryFileSystem());
  await mounted.mount.unmount();
  await mounted.mount.ended;
  expect(await mounted.mount.notifier.invalidateInode(1)).toBe(false);
});
