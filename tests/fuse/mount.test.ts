import { mkdtemp, open, readFile, readdir, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { OpenReplyFlag } from '../../src/fuse/abi/flags.ts';
import { mountFuse } from '../../src/fuse/mount.ts';
import { MemoryFileSystem } from '../support/fuse/memory-file-system.ts';
import { TestMount } from '../support/fuse/test-mount.ts';
import { mustRun } from '../support/run-program.ts';

test('a mount shows its source, its type and its options', async () => {
  await using mounted = await TestMount.create(new MemoryFileSystem());
  const { stdout } = await mustRun('findmnt', ['-n', '-o', 'SOURCE,FSTYPE,OPTIONS', mounted.path()]);
  expect(stdout).toMatch(
    /^local:\/\/\/some, place\/\s+fuse\.s3ql\s+rw,nosuid,nodev,.*user_id=0,group_id=0,default_permissions,allow_other/,
  );
});

test('flags of the mount are passed on', async () => {
  await using mounted = await TestMount.create(new MemoryFileSystem(), {
    readOnly: true,
    noExec: true,
    noAtime: true,
    noSuid: false,
    allowOther: false,
    maxReadBytes: 65_536,
  });
  const { stdout } = await mustRun('findmnt', ['-n', '-o', 'OPTIONS', mounted.path()]);
  expect(stdout).toMatch(/^ro,nodev,noexec,noatime,/);
  expect(stdout).toContain('max_read=65536');
  expect(stdout).not.toContain('allow_other');
  await expect(writeFile(mounted.path('file'), 'x')).rejects.toMatchObject({ code: 'EROFS' });
});

test('tools work in it: files, directories, links, devices, attributes, copies', async () => {
  await using mounted = await TestMount.create(new MemoryFileSystem(), {});
  await mustRun('sh', [
    '-ec',
    `cd "$1"
     mkdir a; echo one >a/file; ln a/file a/hard; ln -s file a/soft; mkfifo a/fifo; mknod a/device c 1 3
     chmod 640 a/file; chown 12:34 a/file; touch -d @1234567890.123456789 a/file; mv a/file a/moved
     setfattr -n user.x -v y a/moved; test "$(getfattr --only-values -n user.x a/moved)" = y; setfattr -x user.x a/moved
     cp -a a b; cmp a/moved b/moved; test "$(readlink b/soft)" = file; test "$(stat -c %t:%T b/device)" = 1:3; rm -r b
     dd if=/dev/urandom of=big bs=1M count=9 status=none; cp big copy; cmp big copy; dd if=copy of=direct bs=1M oflag=direct iflag=direct status=none
     cmp big direct; truncate -s 100 big; test "$(stat -c %s big)" = 100; cmp -n 100 big copy; rm big copy direct
     mkdir many; for i in $(seq 300); do echo $i >many/a-rather-long-name-of-a-file-$i; done; test "$(ls many | wc -l)" = 300; rm -r many; df . >/dev/null`,
    'sh',
    mounted.path(),
  ]);
  const { mtimeMs, mode, nlink, uid, gid } = await stat(mounted.path('a/moved'));
  expect([mtimeMs, mode & 0o777, nlink, uid, gid]).toEqual([1_234_567_890_123.4568, 0o640, 2, 12, 34]);
  expect((await readdir(mounted.path('a'))).sort()).toEqual(['device', 'fifo', 'hard', 'moved', 'soft']);
});

test('times before 1970 and far ahead, sizes and offsets beyond 32 bits survive the way there and back', async () => {
  const fileSystem = new MemoryFileSystem();
  await using mounted = await TestMount.create(fileSystem);
  await writeFile(mounted.path('file'), '');
  for (const seconds of ['-1234567890.987654321', '99999999999.000000001']) {
    await mustRun('touch', ['-m', '-d', `@${seconds}`, mounted.path('file')]);
    const { stdout } = await mustRun('stat', ['-c', '%.9Y', mounted.path('file')]);
    expect(stdout.trim()).toBe(seconds);
  }
  const offsets: bigint[] = [];
  fileSystem.write = (_context, _id, _handle, offset, data) => {
    offsets.push(offset);
    return data.length;
  };
  const handle = await open(mounted.path('file'), 'r+');
  await handle.write(Buffer.from('x'), 0, 1, 2 ** 42 + 1);
  await handle.close();
  expect(offsets).toEqual([2n ** 42n + 1n]);
});

test('umount(8) from outside ends it, and the handlers hear of it once', async () => {
  const fileSystem = new MemoryFileSystem();
  await using mounted = await TestMount.create(fileSystem);
  await writeFile(mounted.path('file'), 'x');
  await mustRun('umount', [mounted.path()]);
  await mounted.mount.ended;
  expect(fileSystem.destroyed).toBe(1);
  await mounted.mount.unmount();
});

test('a mount in use can only be unmounted lazily, and its open files are served to the end', async () => {
  await using mounted = await TestMount.create(new MemoryFileSystem());
  const handle = await open(mounted.path('file'), 'w+');
  await expect(mounted.mount.unmount()).rejects.toMatchObject({
    name: 'MountError',
    code: 'EBUSY',
    message: expect.stringContaining('EBUSY'),
  });
  await mounted.mount.unmount({ lazy: true });
  expect(await readdir(mounted.path())).toEqual([]);
  await handle.write('still there');
  expect((await handle.read(Buffer.alloc(20), 0, 20, 0)).bytesRead).toBe(11);
  await handle.close();
  await mounted.mount.ended;
});

test('what can not be mounted on is refused with a reason', async () => {
  const directory = await mkdtemp(join(tmpdir(), 's3ql-fuse-'));
  try {
    const options = { source: 'x', subtype: 's3ql', handlers: {}, session: { onError: () => {} } };
    await expect(mountFuse({ ...options, mountpoint: join(directory, 'absent') })).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(mountFuse({ ...options, mountpoint: directory, maxReadBytes: Number.NaN })).rejects.toMatchObject({
      name: 'MountError',
      code: 'EINVAL',
    });
    const impossible = { ...options, mountpoint: directory, session: { onError: () => {}, maxWriteBytes: 1000 } };
    await expect(mountFuse(impossible)).rejects.toThrow(RangeError);
    expect(await readFile('/proc/self/mountinfo', 'utf8')).not.toContain(directory);
  } finally {
    await rmdir(directory);
  }
});

test('root can raise the read-ahead, and reads then come in larger pieces', async () => {
  const fileSystem = new MemoryFileSystem();
  await using mounted = await TestMount.create(fileSystem);
  const sizes: number[] = [];
  const read = fileSystem.read.bind(fileSystem);
  fileSystem.read = (context, id, handle, offset, size, reply) => {
    sizes.push(size);
    return read(context, id, handle, offset, size, reply);
  };
  await mounted.mount.setReadAhead();
  await writeFile(mounted.path('file'), Buffer.alloc(8 * 1024 * 1024, 1));
  await mustRun('dd', [`if=${mounted.path('file')}`, 'iflag=nocache', 'of=/dev/null', 'count=0', 'status=none']);
  await mustRun('dd', [`if=${mounted.path('file')}`, 'of=/dev/null', 'bs=1M', 'status=none']);
  expect(Math.max(...sizes)).toBe(512 * 1024);
});

test('a file system without handlers is refused everything, and can be unmounted', async () => {
  await using mounted = await TestMount.create({});
  await expect(stat(mounted.path())).rejects.toMatchObject({ code: 'ENOSYS' });
});

test('a file can be lent to the kernel, which then reads and writes it by itself', async () => {
  const directory = await mkdtemp(join(tmpdir(), 's3ql-backing-'));
  const backing = join(directory, 'backing');
  await writeFile(backing, 'from the backing file');
  const fileSystem = new MemoryFileSystem();
  await using mounted = await TestMount.create(fileSystem, { session: { features: { passthrough: true } } });
  expect(mounted.mount.negotiated.features.passthrough).toBe(true);
  await writeFile(mounted.path('file'), 'in memory, same length');
  const handle = await open(backing, 'r+');
  const id = mounted.mount.backingFiles.register(handle.fd);
  await handle.close();
  fileSystem.open = (_context, node) => ({ handle: node, openFlags: OpenReplyFlag.PASSTHROUGH, backingId: id });
  expect(await readFile(mounted.path('file'), 'utf8')).toBe('from the backing file');
  mounted.mount.backingFiles.unregister(id);
  expect(() => mounted.mount.backingFiles.unregister(id)).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  await rm(directory, { recursive: true });
});
