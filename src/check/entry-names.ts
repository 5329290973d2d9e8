/** Names that fit into a directory: made of what is at hand, free there, and of a length that the kernel takes. */
import type { Tree } from './tree.ts';

export const MAX_NAME_BYTES = 255;
/** What is kept of a name that is too long, at its begin and at its end (S3QL behaviour 1.8); room is left for a number. */
const KEPT_BYTES = 120;
const LONGEST_WITH_NUMBER_BYTES = 251;
const UNDERSCORE = 0x5f;
const SLASH = 0x2f;

/** A path as a single name: `_` becomes `__`, `/` becomes `_`. */
export function flattenedPath(path: Uint8Array): Buffer {
  const bytes: number[] = [];
  for (const byte of path[0] === SLASH ? path.subarray(1) : path) {
    if (byte === UNDERSCORE) bytes.push(UNDERSCORE, UNDERSCORE);
    else bytes.push(byte === SLASH || byte === 0 ? UNDERSCORE : byte);
  }
  return Buffer.from(bytes);
}

/** The wanted name, shortened if need be, with a number behind it if the directory has it already. */
export function freeName(tree: Tree, directory: bigint, wanted: Uint8Array): Buffer {
  const name = shortened(wanted);
  if (tree.lookup(directory, name) === undefined) return name;
  for (let number = 1; ; number++) {
    const numbered = Buffer.concat([name, Buffer.from(`-${number}`)]);
    const fitting = numbered.length <= MAX_NAME_BYTES ? numbered : Buffer.concat([name.subarray(0, 230), Buffer.from(`...-${number}`)]);
    if (tree.lookup(directory, fitting) === undefined) return fitting;
  }
}

function shortened(name: Uint8Array): Buffer {
  const bytes = Buffer.from(name);
  if (bytes.length <= LONGEST_WITH_NUMBER_BYTES) return bytes;
  return Buffer.concat([bytes.subarray(0, KEPT_BYTES), Buffer.from('...'), bytes.subarray(-KEPT_BYTES)]);
}
