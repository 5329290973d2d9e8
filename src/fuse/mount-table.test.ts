import { expect, test } from 'vitest';
import { findDevice } from './mount-table.ts';

const mountinfo = `22 27 0:21 / /proc rw,relatime - proc proc rw
40 27 0:50 / /mnt/a rw - fuse.s3ql local:///x/ rw
41 27 0:51 / /mnt/a rw - fuse.s3ql local:///y/ rw
42 27 0:52 / /mnt/with\\040space\\134\\303\\244 rw - fuse.s3ql local:///z/ rw
`.replace('\\303\\244', 'Ã¤');

test('the device of a mount is found by its path, the topmost of several', () => {
  expect(findDevice(mountinfo, '/mnt/a')).toBe('0:51');
  expect(findDevice(mountinfo, '/mnt/with space\\ä')).toBe('0:52');
  expect(findDevice(mountinfo, '/mnt')).toBeUndefined();
});
