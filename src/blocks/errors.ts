/** Errors of local files, and of the store, as what a system call gets. */
import { FileSystemLostError, NoSpaceError } from '../backends/errors.ts';
import { FsError } from '../util/errors.ts';

const NO_SPACE_CODES = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** A failed operation on the cache's own files. */
export function localError(error: unknown): FsError {
  if (error instanceof FsError) return error;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (typeof code === 'string' && NO_SPACE_CODES.has(code))
    return new FsError('ENOSPC', "no space on the block cache's disk", { cause: error });
  return new FsError('EIO', 'the block cache failed', { cause: error });
}

/** A failed upload. */
export function uploadError(error: unknown): FsError {
  if (error instanceof FsError) return error;
  if (error instanceof FileSystemLostError) return new FsError('EROFS', error.message, { cause: error });
  return new FsError(error instanceof NoSpaceError ? 'ENOSPC' : 'EIO', 'cannot upload blocks', { cause: error });
}
