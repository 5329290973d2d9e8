import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { getXattr, setXattr } from './xattr.ts';

test('attributes are written and read back; failures carry the errno', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'xattr-'));
  try {
    const path = join(directory, 'file');
    writeFileSync(path, '');
    await setXattr(path, 'user.bytes', Buffer.from([0, 1, 255]));
    await setXattr(path, 'user.empty', new Uint8Array());
    expect(await getXattr(path, 'user.bytes', 100)).toEqual(Buffer.from([0, 1, 255]));
    expect(await getXattr(path, 'user.empty', 100)).toEqual(Buffer.alloc(0));
    await expect(getXattr(path, 'user.missing', 100)).rejects.toMatchObject({ code: 'ENODATA', syscall: 'getxattr' });
    await expect(getXattr(path, 'user.bytes', 2)).rejects.toMatchObject({ code: 'ERANGE' });
    await expect(setXattr(`${path}-missing`, 'user.x', new Uint8Array())).rejects.toMatchObject({ code: 'ENOENT', syscall: 'setxattr' });
  } finally {
    rmSync(directory, { recursive: true });
  }
});
