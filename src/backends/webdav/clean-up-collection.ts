/** Removes what interrupted stores left in a collection. Only for fsck, while nobody else uses the store. */
import { DATA_DIRECTORY } from '../local/object-path.ts';
import { encodePath } from '../http/percent-encoding.ts';
import { isSuccess } from '../http/http-status.ts';
import { isTemporaryName, replacedName } from './replacements.ts';
import { isTransferred, type WebdavConnection } from './webdav-connection.ts';

/** Objects that wait to replace others take their place if that is empty. Returns how many resources it dealt with. */
export async function cleanUpCollection(connection: WebdavConnection, root: string): Promise<number> {
  let count = 0;
  const directories = [''];
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    const entries = (await connection.readCollection(root + encodePath(directory))) ?? [];
    const names = new Set(entries.map(({ name }) => name));
    // The latest of several first.
    for (const { name, isCollection } of entries.toSorted((a, b) => (a.name < b.name ? 1 : -1))) {
      const path = root + encodePath(directory + name);
      const target = replacedName(name);
      if (isCollection) {
        if (directory !== '' || name === DATA_DIRECTORY) directories.push(`${directory}${name}/`);
      } else if (target !== undefined && !names.has(target)) {
        await finish(connection, path, root + encodePath(directory + target));
        names.add(target);
        count += 1;
      } else if (target !== undefined || isTemporaryName(name)) {
        await remove(connection, path);
        count += 1;
      }
    }
  }
  return count;
}

async function finish(connection: WebdavConnection, from: string, to: string): Promise<void> {
  const response = await connection.transfer('MOVE', from, to, { overwrite: false });
  if (!isTransferred(response)) throw connection.error(response);
}

async function remove(connection: WebdavConnection, path: string): Promise<void> {
  const response = await connection.send({ method: 'DELETE', path });
  if (!isSuccess(response.status) && response.status !== 404) throw connection.error(response);
}
