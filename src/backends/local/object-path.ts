/**
 * Where objects lie in a local store (S3QL format 2.9). Data objects are spread over directories of at most a thousand: `s3ql_data_1234567`
 * is `s3ql_data_/123/123456/s3ql_data_1234567`; all other keys lie in the root. Names with `#` are temporary files and never keys.
 */

export const DATA_DIRECTORY = 's3ql_data_';

const DIGITS_PER_LEVEL = 3;
const ESCAPES: Readonly<Record<string, string>> = { '=': '=3D', '/': '=2F', '#': '=23' };
const UNESCAPES: Readonly<Record<string, string>> = { '=3D': '=', '=2F': '/', '=23': '#' };
/** NAME_MAX less what a temporary name adds. */
const MAX_NAME_BYTES = 220;

/** The key as a file name, or the beginning of one for a prefix. */
export function escapeKey(key: string): string {
  return key.replaceAll(/[=/#]/g, (char) => ESCAPES[char] ?? char);
}

/** The path of an object below the store's directory. @throws RangeError if no file can have that name */
export function objectPath(key: string): string {
  const name = escapeKey(key);
  if (
    key === '' ||
    name === '.' ||
    name === '..' ||
    name.includes('\0') ||
    !name.isWellFormed() ||
    Buffer.byteLength(name) > MAX_NAME_BYTES
  ) {
    throw new RangeError(`"${key}" cannot be the name of an object in a local store`);
  }
  if (!name.startsWith(DATA_DIRECTORY)) return name;
  const id = name.slice(DATA_DIRECTORY.length);
  let path = `${DATA_DIRECTORY}/`;
  for (let length = DIGITS_PER_LEVEL; length < id.length; length += DIGITS_PER_LEVEL) path += `${id.slice(0, length)}/`;
  return path + name;
}

/** The key of the object that lies at a path, or undefined if that is no place for an object. */
export function keyOfPath(path: string): string | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (name.includes('#')) return undefined;
  const key = name.replaceAll(/=(?:3D|2F|23)/g, (escape) => UNESCAPES[escape] ?? escape);
  try {
    return objectPath(key) === path ? key : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a directory (a path below the store's, without a trailing slash) may hold keys whose escaped form begins with the prefix. */
export function mayHoldPrefix(directory: string, escapedPrefix: string): boolean {
  if (directory !== DATA_DIRECTORY && !directory.startsWith(`${DATA_DIRECTORY}/`)) return false;
  const begin = DATA_DIRECTORY + (directory === DATA_DIRECTORY ? '' : directory.slice(directory.lastIndexOf('/') + 1));
  return begin.startsWith(escapedPrefix) || escapedPrefix.startsWith(begin);
}
