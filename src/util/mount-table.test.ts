import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readMountTable } from './mount-table.ts';

test('mounts are read with any number of optional fields and with escaped names', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'mount-table-'));
  try {
    const path = join(directory, 'mountinfo');
    writeFileSync(
      path,
      [
        '22 1 8:1 / / rw,relatime shared:1 master:2 - ext4 /dev/sda1 rw',
        String.raw`90 22 0:51 / /mnt/a\040b\134c rw,nosuid,nodev - fuse.s3ql local:///x\040y/ rw,user_id=0`,
        '',
      ].join('\n'),
    );
    expect(await readMountTable(path)).toEqual([
      { device: '8:1', mountpoint: '/', type: 'ext4', source: '/dev/sda1' },
      { device: '0:51', mountpoint: '/mnt/a b\\c', type: 'fuse.s3ql', source: 'local:///x y/' },
    ]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("this process's own table has a root", async () => {
  expect((await readMountTable()).some(({ mountpoint }) => mountpoint === '/')).toBe(true);
});
