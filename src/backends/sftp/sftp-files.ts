/** Whole files over SFTP, with many requests under way at a time. */
import { forEachLimit } from '../../util/for-each-limit.ts';
import { OPEN_CREATE, type SftpHandle, type SftpSession } from './sftp-session.ts';

/** What one file may have under way; hides the round trips of a link of 100 MB/s at 80 ms. */
const MAX_BYTES_UNDER_WAY = 8 * 1024 * 1024;

/**
 * Writes a new file and has it synced, if the server can. The handle stays open. Fails if the file exists.
 * @throws SftpStatusError
 */
export async function createFile(session: SftpSession, path: string, parts: readonly Uint8Array[]): Promise<SftpHandle> {
  const handle = await session.open(path, OPEN_CREATE);
  try {
    await forEachLimit(pieces(parts, session.maxWriteBytes), requestsUnderWay(session.maxWriteBytes), ({ bytes, offset }) =>
      session.write(handle, offset, bytes),
    );
    await sync(session, handle);
    return handle;
  } catch (error) {
    await session.close(handle).catch(() => undefined);
    throw error;
  }
}

/** Syncs a file, if the server can. */
export async function sync(session: SftpSession, handle: SftpHandle): Promise<void> {
  if (session.has('fsync@openssh.com')) await session.fsync(handle);
}

/** As much of `target` as the file has from `offset` on. @returns how many bytes */
export async function readFully(session: SftpSession, handle: SftpHandle, target: Buffer, offset: number): Promise<number> {
  let total = 0;
  await forEachLimit(pieces([target], session.maxReadBytes), requestsUnderWay(session.maxReadBytes), async (piece) => {
    const done = await readPiece(session, handle, piece.bytes, offset + piece.offset);
    total += done;
  });
  return total;
}

/** A server may send less than it was asked for. */
async function readPiece(session: SftpSession, handle: SftpHandle, target: Uint8Array, offset: number): Promise<number> {
  let done = 0;
  while (done < target.byteLength) {
    const bytes = await session.read(handle, offset + done, target.byteLength - done);
    if (bytes.byteLength === 0) break;
    target.set(bytes, done);
    done += bytes.byteLength;
  }
  return done;
}

function* pieces(parts: readonly Uint8Array[], pieceBytes: number): Generator<{ readonly bytes: Uint8Array; readonly offset: number }> {
  let offset = 0;
  for (const part of parts) {
    for (let at = 0; at < part.byteLength; at += pieceBytes) {
      const bytes = part.subarray(at, at + pieceBytes);
      yield { bytes, offset };
      offset += bytes.byteLength;
    }
  }
}

function requestsUnderWay(pieceBytes: number): number {
  return Math.max(1, Math.floor(MAX_BYTES_UNDER_WAY / pieceBytes));
}
