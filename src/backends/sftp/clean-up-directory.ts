/** Cleaning up a store behind SFTP. The layout is that of local:// (S3QL format 2.9). */
import { DATA_DIRECTORY } from '../local/object-path.ts';
import { isNoSuchFile } from './sftp-errors.ts';
import { STATUS, SftpStatusError, type SftpSession } from './sftp-session.ts';

const TEMPORARY_FILE = /#[^/]*\.tmp$/;

/** Removes temporary files, and directories of data objects that are empty. Returns how many files. */
export async function cleanUpDirectory(session: SftpSession, root: string, path: string = ''): Promise<number> {
  let removed = 0;
  for (const entry of await session.readDirectory(root + path)) {
    const entryPath = path === '' ? entry.name : `${path}/${entry.name}`;
    if (entry.isDirectory) {
      if (entryPath === DATA_DIRECTORY || entryPath.startsWith(`${DATA_DIRECTORY}/`))
        removed += await cleanUpSubdirectory(session, root, entryPath);
    } else if (TEMPORARY_FILE.test(entry.name)) {
      await session.remove(root + entryPath);
      removed += 1;
    }
  }
  return removed;
}

async function cleanUpSubdirectory(session: SftpSession, root: string, path: string): Promise<number> {
  const removed = await cleanUpDirectory(session, root, path);
  try {
    await session.rmdir(root + path);
  } catch (error) {
    // Not empty, which servers call a failure.
    if (!isNoSuchFile(error) && !(error instanceof SftpStatusError && error.status === STATUS.FAILURE)) throw error;
  }
  return removed;
}
