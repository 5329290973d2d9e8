/** Which part of a range of a sparse file has data on disk. */
import { FsError } from '../util/errors.ts';
import { lseekSync, SEEK_DATA, SEEK_HOLE } from '../util/libc.ts';
import { SystemCallError } from '../util/system-call-error.ts';

/** From the first to behind the last allocated byte in [from, end); undefined if there is none. File systems that can't tell say all of it. */
export function allocatedRange(fd: number, from: number, end: number): { from: number; end: number } | undefined {
  let first: number | undefined;
  let last = from;
  for (let at = from; at < end;) {
    const data = seekData(fd, at);
    if (data === undefined || data >= end) break;
    first ??= data;
    at = lseekSync(fd, data, SEEK_HOLE);
    last = Math.min(at, end);
  }
  return first === undefined ? undefined : { from: first, end: last };
}

function seekData(fd: number, at: number): number | undefined {
  try {
    return lseekSync(fd, at, SEEK_DATA);
  } catch (error) {
    if (error instanceof SystemCallError && error.code === 'ENXIO') return undefined;
    throw new FsError('EIO', 'cannot tell what of the block cache is allocated', { cause: error });
  }
}
