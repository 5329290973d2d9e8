/** Random operations on mirrored files, until a number of them is done or one goes wrong. */
import { Random } from '../support/random.ts';
import { Deviation, MirroredFile, PAGE_BYTES } from './mirrored-file.ts';

export interface ExerciserOptions {
  readonly directory: string;
  readonly seed: number;
  readonly operationCount: number;
  readonly fileCount: number;
  /** Collapse and insert range are there. */
  readonly shiftRange: boolean;
  /** Operations between two remounts, and between two times that the file system's cache is emptied; 0: never. */
  readonly remountInterval: number;
  readonly dropInterval: number;
}

/** What the file system's owner does when asked; nothing of it is open during a remount. */
export interface FileSystemControl {
  remount(): Promise<void>;
  dropCaches(): Promise<void>;
}

const MAX_SIZE_BYTES = 1 << 20;
const MAX_LENGTH_BYTES = 160 * 1024;
const LARGEST_BLOCK_BYTES = 128 * 1024;
const CHECK_ALL_INTERVAL = 500;
const LOG_LENGTH = 40;
const POOL_BYTES = 4 * MAX_LENGTH_BYTES;

const WEIGHTS = {
  read: 25,
  write: 25,
  readMapped: 8,
  writeMapped: 8,
  truncate: 8,
  punch: 5,
  zero: 4,
  allocate: 3,
  copy: 7,
  sync: 1,
  reopen: 3,
  forgetPages: 4,
  replace: 1,
} as const;
type OperationName = keyof typeof WEIGHTS | 'collapse' | 'insert';

export class Exerciser {
  readonly #options: ExerciserOptions;
  readonly #control: FileSystemControl;
  readonly #random: Random;
  readonly #pool: Buffer;
  readonly #log: string[] = [];
  readonly #files: MirroredFile[];
  readonly #weights: Readonly<Partial<Record<OperationName, number>>>;

  constructor(options: ExerciserOptions, control: FileSystemControl) {
    this.#options = options;
    this.#control = control;
    this.#random = new Random(options.seed);
    this.#pool = this.#random.bytes(POOL_BYTES);
    this.#files = Array.from(
      { length: options.fileCount },
      (_, index) => new MirroredFile(`${options.directory}/file-${index}`, MAX_SIZE_BYTES),
    );
    this.#weights = {
      ...WEIGHTS,
      ...(options.fileCount < 2 ? { replace: 0 } : {}),
      ...(options.shiftRange ? { collapse: 2, insert: 2 } : {}),
    };
  }

  /** @throws Deviation that says the seed and the last operations */
  async run(): Promise<void> {
    const { operationCount, seed, remountInterval, dropInterval } = this.#options;
    for (let index = 1; index <= operationCount; index += 1) {
      try {
        this.#step();
        if (index % CHECK_ALL_INTERVAL === 0) this.#checkAll();
        if (remountInterval > 0 && index % remountInterval === 0) await this.#remount();
        if (dropInterval > 0 && index % dropInterval === 0) await this.#dropCaches();
      } catch (error) {
        if (!(error instanceof Deviation)) throw error;
        throw new Deviation(`operation ${index} of S3QL_TEST_SEED=${seed}: ${error.message}\n${this.#log.join('\n')}`);
      }
    }
    this.#checkAll();
    for (const file of this.#files) file.close();
  }

  #step(): void {
    const random = this.#random;
    const file = random.pick(this.#files);
    const name = random.weighted(this.#weights);
    const offset = this.#offset();
    const length = this.#length(MAX_SIZE_BYTES - offset);
    this.#note(`${name} ${file.path} ${offset} +${length} (size ${file.size})`);
    this.#perform(name, file, offset, length);
    file.checkSize();
  }

  #perform(name: OperationName, file: MirroredFile, offset: number, length: number): void {
    const random = this.#random;
    const page = offset - (offset % PAGE_BYTES);
    const block = offset - (offset % LARGEST_BLOCK_BYTES);
    const operations: Readonly<Record<OperationName, () => void>> = {
      read: () => file.read(offset, length),
      write: () => file.write(offset, this.#data(length)),
      readMapped: () => file.readMapped(page, length),
      writeMapped: () => file.writeMapped(page, offset - page, this.#data(length), random.below(4) === 0),
      truncate: () => file.truncate(random.below(3) === 0 ? offset : Math.min(offset, file.size)),
      punch: () => file.punch(offset, length),
      zero: () => file.zero(offset, length, random.below(2) === 0),
      allocate: () => file.allocate(offset, length, random.below(2) === 0),
      copy: () => this.#copy(file, offset, length),
      sync: () => file.sync(random.below(2) === 0),
      reopen: () => {
        file.close();
        file.open();
      },
      forgetPages: () => file.forgetPages(),
      replace: () => file.replace(random.pick(this.#files.filter((other) => other !== file))),
      collapse: () => file.collapse(block, LARGEST_BLOCK_BYTES),
      insert: () => file.insert(block, LARGEST_BLOCK_BYTES),
    };
    operations[name]();
  }

  /** To another file, to another place of the same file, and often from border to border of blocks. */
  #copy(file: MirroredFile, offset: number, length: number): void {
    const target = this.#random.pick(this.#files);
    const aligned = this.#random.below(2) === 0;
    const align = (value: number): number => (aligned ? value - (value % LARGEST_BLOCK_BYTES) : value);
    const from = align(offset);
    const to = align(this.#offset());
    const room = Math.min(length, MAX_SIZE_BYTES - to, file === target ? Math.abs(to - from) : MAX_SIZE_BYTES);
    this.#note(`  from ${from} to ${target.path} ${to} +${room}`);
    if (room > 0) file.copyTo(target, from, to, room);
    target.checkSize();
  }

  async #remount(): Promise<void> {
    this.#note('remount');
    for (const file of this.#files) file.close();
    await this.#control.remount();
    for (const file of this.#files) file.open();
    this.#checkAll();
  }

  async #dropCaches(): Promise<void> {
    this.#note('drop caches');
    for (const file of this.#files) file.sync(true);
    await this.#control.dropCaches();
    for (const file of this.#files) file.forgetPages();
    this.#checkAll();
  }

  #checkAll(): void {
    for (const file of this.#files) file.checkAll();
  }

  /** Often at the border of a page or a block. */
  #offset(): number {
    const offset = this.#random.below(MAX_SIZE_BYTES - 1);
    return this.#random.pick([offset, offset, offset - (offset % PAGE_BYTES), offset - (offset % LARGEST_BLOCK_BYTES)]);
  }

  #length(limit: number): number {
    const length = 1 + this.#random.below(this.#random.pick([16, PAGE_BYTES, MAX_LENGTH_BYTES]));
    return Math.min(limit, this.#random.pick([length, length, PAGE_BYTES, LARGEST_BLOCK_BYTES]));
  }

  /** Sometimes the same bytes again, so that blocks are shared. */
  #data(length: number): Buffer {
    const at = this.#random.pick([0, this.#random.below(POOL_BYTES - MAX_LENGTH_BYTES)]);
    return this.#pool.subarray(at, at + length);
  }

  #note(line: string): void {
    this.#log.push(line);
    if (this.#log.length > LOG_LENGTH) this.#log.shift();
  }
}
