/** Work on a mount, with a record of what the file system has promised to keep. */
import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const FILE_BYTES = 150_000;

export class Journal {
  /** What must be there; undefined: must not. */
  readonly #promised = new Map<string, Buffer | undefined>();
  #round = 0;

  /** New, overwritten, replaced and deleted files, all synced; and one that is not. */
  async work(mountpoint: string): Promise<void> {
    this.#round += 1;
    const directory = join(mountpoint, `round-${this.#round % 7}`);
    await mkdir(directory, { recursive: true });
    const local = `round-${this.#round % 7}/`;
    await this.#store(mountpoint, `${local}file-${this.#round}`, randomBytes(FILE_BYTES));
    await this.#store(mountpoint, 'overwritten', randomBytes(FILE_BYTES));
    await this.#store(mountpoint, 'replacement', randomBytes(FILE_BYTES / 2));
    await rename(join(mountpoint, 'replacement'), join(mountpoint, 'replaced'));
    this.#promised.set('replaced', this.#promised.get('replacement'));
    this.#promised.set('replacement', undefined);
    const oldest = [...this.#promised].find(([name, content]) => name.startsWith('round-') && content !== undefined)?.[0];
    if (this.#round > 5 && oldest !== undefined) {
      await unlink(join(mountpoint, oldest));
      this.#promised.delete(oldest);
      this.#promised.set(oldest, undefined);
    }
    await syncDirectory(mountpoint);
    await writeFile(join(mountpoint, 'unsynced'), randomBytes(FILE_BYTES));
  }

  /** Nothing is promised any more: the file system was deleted. */
  forget(): void {
    this.#promised.clear();
  }

  /** What is promised and not kept, one line each. */
  async broken(mountpoint: string): Promise<string[]> {
    const problems: string[] = [];
    for (const [name, content] of this.#promised) {
      const found = await readFile(join(mountpoint, name)).catch((error: NodeJS.ErrnoException) => error.code ?? String(error));
      if (content === undefined ? found !== 'ENOENT' : typeof found === 'string' || !found.equals(content)) {
        const what = typeof found === 'string' ? found : `${found.length} bytes`;
        problems.push(`${name}: ${what} instead of ${content === undefined ? 'nothing' : `its ${content.length} bytes`}`);
      }
    }
    // Not promised, but all of it must be readable.
    for (const entry of await readdir(mountpoint, { recursive: true, withFileTypes: true })) {
      if (entry.isFile())
        await readFile(join(entry.parentPath, entry.name)).catch((error: unknown) => problems.push(`${entry.name}: ${String(error)}`));
    }
    await rm(join(mountpoint, 'unsynced'), { force: true });
    return problems;
  }

  async #store(mountpoint: string, name: string, content: Buffer): Promise<void> {
    await using file: FileHandle = await open(join(mountpoint, name), 'w');
    await file.write(content);
    await file.sync();
    this.#promised.set(name, content);
  }
}

async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, 'r');
  await directory.sync();
}
