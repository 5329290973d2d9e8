/**
 * The metadata worker thread: checkpoints the WAL over a connection of its own, and reads the database file while no checkpoint changes it.
 * Handles one request at a time, synchronously; nothing here delays the file system's thread.
 */
import { createHash } from 'node:crypto';
import { fstatSync, readSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { openConnection, prepareRows, type RowStatement } from './connection.ts';
import { DIGEST_BYTES } from './piece-digests.ts';
import { PAGE_SIZE_BYTES } from './schema.ts';
import type { CheckpointResult, FrozenFile, Reply, Request, WorkerSettings } from './snapshot-protocol.ts';
import { countFigures, type Figures } from './totals.ts';
import type { CheckpointRow } from './wal-limit.ts';

/** This connection reads tables at most once, from end to end. */
const CACHE_BYTES = 256 * 1024;
/** A checkpoint is incomplete only while the main connection is between two states; each try after the first waits this long. */
const RETRY_MS = 20;
const TRIES = 500;
/** Where the file's header says how many pages it has. */
const PAGE_COUNT_OFFSET = 28;

class SnapshotThread {
  readonly #fd: number;
  readonly #connection: DatabaseSync;
  readonly #checkpoint: RowStatement<CheckpointRow>;

  constructor(settings: WorkerSettings) {
    this.#fd = settings.fileDescriptor;
    this.#connection = openConnection(settings.databasePath, { cacheBytes: CACHE_BYTES });
    this.#checkpoint = prepareRows(this.#connection, 'PRAGMA wal_checkpoint(PASSIVE)');
  }

  count(): Figures {
    return countFigures(this.#connection);
  }

  checkpoint(): CheckpointResult {
    const [, walFrames, checkpointedFrames] = this.#checkpoint.get() ?? [0, 0, 0];
    return { walFrames, checkpointedFrames };
  }

  /** Brings the file to a committed state, and takes its digests. It stays in that state until the next checkpoint. */
  freeze(pieceSizeBytes: number): FrozenFile {
    const nobody = new Int32Array(new SharedArrayBuffer(4));
    for (let attempt = 1; ; attempt++) {
      const [busy, walFrames, checkpointedFrames] = this.#checkpoint.get() ?? [1, 0, 0];
      if (busy === 0 && walFrames === checkpointedFrames) break;
      if (attempt === TRIES) {
        throw new Error(`metadata checkpoint stays incomplete: ${checkpointedFrames} of ${walFrames} frames`);
      }
      Atomics.wait(nobody, 0, 0, RETRY_MS);
    }
    const sizeBytes = fstatSync(this.#fd).size;
    const header = this.read(0, PAGE_COUNT_OFFSET + 4);
    const pageCount = new DataView(header.buffer).getUint32(PAGE_COUNT_OFFSET);
    if (sizeBytes !== pageCount * PAGE_SIZE_BYTES) throw new Error(`metadata has ${sizeBytes} bytes but ${pageCount} pages`);
    return this.#digest(sizeBytes, pieceSizeBytes);
  }

  read(position: number, lengthBytes: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(lengthBytes);
    this.#readInto(bytes, position);
    return bytes;
  }

  close(): void {
    this.#connection.close();
  }

  #digest(sizeBytes: number, pieceSizeBytes: number): FrozenFile {
    const whole = createHash('sha256');
    const pieceDigests = new Uint8Array(Math.ceil(sizeBytes / pieceSizeBytes) * DIGEST_BYTES);
    const buffer = new Uint8Array(pieceSizeBytes);
    for (let piece = 0, position = 0; position < sizeBytes; piece++, position += pieceSizeBytes) {
      const bytes = buffer.subarray(0, Math.min(pieceSizeBytes, sizeBytes - position));
      this.#readInto(bytes, position);
      whole.update(bytes);
      pieceDigests.set(createHash('sha256').update(bytes).digest(), piece * DIGEST_BYTES);
    }
    return { sizeBytes, digest: new Uint8Array(whole.digest()), pieceDigests };
  }

  #readInto(bytes: Uint8Array, position: number): void {
    for (let done = 0; done < bytes.length;) {
      const count = readSync(this.#fd, bytes, done, bytes.length - done, position + done);
      if (count === 0) throw new Error(`metadata ends at ${position + done}, before ${position + bytes.length}`);
      done += count;
    }
  }
}

type Answer = Figures | CheckpointResult | FrozenFile | Uint8Array<ArrayBuffer>;

function answer(thread: SnapshotThread, request: Exclude<Request, { kind: 'close' }>): Answer {
  if (request.kind === 'count') return thread.count();
  if (request.kind === 'checkpoint') return thread.checkpoint();
  if (request.kind === 'freeze') return thread.freeze(request.pieceSizeBytes);
  return thread.read(request.position, request.lengthBytes);
}

function serve(port: MessagePort): void {
  const thread = new SnapshotThread(workerData as WorkerSettings);
  port.on('message', (request: Request) => {
    if (request.kind === 'close') {
      port.close();
      thread.close();
      return;
    }
    try {
      const result = answer(thread, request);
      port.postMessage({ kind: 'done', result } satisfies Reply, result instanceof Uint8Array ? [result.buffer] : []);
    } catch (error) {
      port.postMessage({ kind: 'failed', error } satisfies Reply);
    }
  });
}

if (parentPort !== null) serve(parentPort);
