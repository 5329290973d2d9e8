/** `s3ql ls`. */
import { isDirectory } from '../../filesystem/file-mode.ts';
import type { FileSystem } from '../../filesystem/file-system.ts';
import type { Inode } from '../../metadata/types.ts';
import { deviceText, entryJson, linkTarget, modeText, timeText } from './entry-text.ts';
import { FileErrors } from './file-errors.ts';
import type { ResultWriter } from './output.ts';
import { checkDepth, entriesOf, joinPath, resolvePath } from './paths.ts';
import { namesFrom } from './user-names.ts';

/** Larger directories are listed in the order in which they are stored: memory is not for names without end. */
const MAX_SORTED_ENTRIES = 100_000;
const DOT = 0x2e;

export interface ListOptions {
  readonly long: boolean;
  readonly all: boolean;
  readonly recursive: boolean;
  /** Directories themselves, not what is in them. */
  readonly directory: boolean;
  readonly json: boolean;
}

interface Named {
  readonly name: Uint8Array;
  readonly attributes: Inode;
}

/** Writes the listing; returns the exit code. */
export async function listFiles(
  fileSystem: FileSystem,
  paths: readonly string[],
  options: ListOptions,
  output: ResultWriter,
  signal: AbortSignal,
): Promise<number> {
  const errors = new FileErrors(signal);
  const listing = new Listing(fileSystem, options, output, signal);
  const titled = paths.length > 1 || options.recursive;
  for (const path of paths.map((text) => Buffer.from(text))) {
    try {
      const inode = resolvePath(fileSystem, path, false);
      if (isDirectory(inode.mode) && !options.directory) await listing.tree(path, inode, titled);
      else await listing.entry(path, path, inode);
    } catch (error) {
      errors.add(path, error);
    }
  }
  return errors.exitCode;
}

class Listing {
  readonly #fileSystem: FileSystem;
  readonly #options: ListOptions;
  readonly #output: ResultWriter;
  readonly #signal: AbortSignal;
  readonly #userName = namesFrom('/etc/passwd');
  readonly #groupName = namesFrom('/etc/group');
  #titleCount = 0;

  constructor(fileSystem: FileSystem, options: ListOptions, output: ResultWriter, signal: AbortSignal) {
    this.#fileSystem = fileSystem;
    this.#options = options;
    this.#output = output;
    this.#signal = signal;
  }

  /** A directory, and with `recursive` those below. */
  async tree(top: Uint8Array, inode: Inode, titled: boolean): Promise<void> {
    const pending: Array<{ path: Uint8Array; inode: Inode; depth: number }> = [{ path: top, inode, depth: 0 }];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (titled) await this.#title(next.path);
      checkDepth(next.depth);
      const below: typeof pending = [];
      for (const { name, attributes } of this.#entries(next.inode)) {
        this.#signal.throwIfAborted();
        const path = joinPath(next.path, name);
        await this.entry(path, name, attributes);
        if (this.#options.recursive && isDirectory(attributes.mode)) below.push({ path, inode: attributes, depth: next.depth + 1 });
      }
      pending.push(...below.toReversed());
    }
  }

  async entry(path: Uint8Array, name: Uint8Array, inode: Inode): Promise<void> {
    if (this.#options.json) return this.#output.write(`${JSON.stringify(entryJson(this.#fileSystem, path, inode))}\n`);
    if (!this.#options.long) return this.#output.write(this.#output.name(name), '\n');
    const { mode, uid, gid, rdev, size, mtimeNs } = inode;
    const { nlink } = await this.#fileSystem.stat(inode);
    const shownSize = modeText(mode).startsWith('b') || modeText(mode).startsWith('c') ? deviceText(rdev) : String(size);
    const columns = [
      modeText(mode),
      String(nlink).padStart(3),
      this.#userName(uid).padEnd(8),
      this.#groupName(gid).padEnd(8),
      shownSize.padStart(12),
      timeText(mtimeNs),
    ];
    const target = linkTarget(this.#fileSystem, inode);
    const arrow = target === undefined ? [] : [' -> ', this.#output.name(target)];
    return this.#output.write(`${columns.join(' ')} `, this.#output.name(name), ...arrow, '\n');
  }

  async #title(path: Uint8Array): Promise<void> {
    if (this.#options.json) return;
    const separator = this.#titleCount > 0 ? '\n' : '';
    this.#titleCount += 1;
    await this.#output.write(separator, this.#output.name(path), ':\n');
  }

  /** By name, unless there are too many. */
  *#entries(directory: Inode): Generator<Named> {
    const entries = entriesOf(this.#fileSystem, directory.id);
    const isShown = ({ name }: Named): boolean => this.#options.all || name[0] !== DOT;
    const sorted: Named[] = [];
    let next = entries.next();
    for (; next.done !== true && sorted.length < MAX_SORTED_ENTRIES; next = entries.next()) {
      if (isShown(next.value)) sorted.push(next.value);
    }
    if (next.done === true) sorted.sort((a, b) => Buffer.compare(a.name, b.name));
    yield* sorted;
    for (; next.done !== true; next = entries.next()) if (isShown(next.value)) yield next.value;
  }
}
