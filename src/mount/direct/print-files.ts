/** `s3ql cat`. */
import { isDirectory, isRegularFile } from '../../filesystem/file-mode.ts';
import type { FileSystem } from '../../filesystem/file-system.ts';
import { FsError } from '../../util/errors.ts';
import { FileErrors } from './file-errors.ts';
import type { ResultWriter } from './output.ts';
import { resolvePath } from './paths.ts';

const READ_BYTES = 1024 * 1024;

export interface ByteRange {
  readonly offset: number;
  /** Undefined: to the end. */
  readonly length: number | undefined;
}

/** Writes the contents of files, one behind the other; returns the exit code. */
export async function printFiles(
  fileSystem: FileSystem,
  paths: readonly string[],
  { offset, length }: ByteRange,
  output: ResultWriter,
  signal: AbortSignal,
): Promise<number> {
  const errors = new FileErrors(signal);
  for (const [reader, path] of paths.map((text) => Buffer.from(text)).entries()) {
    try {
      const inode = resolvePath(fileSystem, path, true);
      if (isDirectory(inode.mode)) throw new FsError('EISDIR');
      if (!isRegularFile(inode.mode)) throw new FsError('EINVAL');
      const start = BigInt(offset);
      const end = length === undefined || start + BigInt(length) > inode.size ? inode.size : start + BigInt(length);
      for (let position = start; position < end;) {
        signal.throwIfAborted();
        const left = end - position;
        // A new buffer each time: what was written may still be on its way.
        const buffer = Buffer.allocUnsafe(left < READ_BYTES ? Number(left) : READ_BYTES);
        const count = await fileSystem.files.read(inode.id, reader + 1, position, buffer, false, signal);
        if (count === 0) break;
        await output.write(buffer.subarray(0, count));
        position += BigInt(count);
      }
    } catch (error) {
      errors.add(path, error);
    }
  }
  return errors.exitCode;
}
