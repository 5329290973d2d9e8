/** Paths of trees that are to be copied, locked or removed as a whole. */
import { UserError } from '../util/errors.ts';
import { readMountTable } from '../util/mount-table.ts';
import { EXIT_ERROR } from './exit-codes.ts';

/**
 * Refuses trees that are more than what one file system holds: what else is mounted there would be left out of a copy, or vanish with the
 * directory it is mounted on. The path must be free of symbolic links. @throws UserError
 */
export async function refuseMountpoints(path: string): Promise<void> {
  const mountpoints = (await readMountTable()).map(({ mountpoint }) => mountpoint);
  if (path === '/' || mountpoints.includes(path)) throw new UserError(`${path} is a mountpoint`, EXIT_ERROR);
  const inside = mountpoints.find((mountpoint) => mountpoint.startsWith(`${path}/`));
  if (inside !== undefined) throw new UserError(`${path} has another mount inside: ${inside}`, EXIT_ERROR);
}
