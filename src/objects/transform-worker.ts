/** A thread of the transform pool: hashes, compresses, encrypts, and the inverse. Nothing is kept between tasks. */
import { hash } from 'node:crypto';
import { readSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import type { ObjectMetadata } from '../backends/object-metadata.ts';
import { createEnvelope } from '../envelope/envelope.ts';
import { IntegrityError } from '../envelope/integrity-error.ts';
import { releaseBuffer } from '../util/release-buffer.ts';
import { transferable } from '../util/transferable.ts';
import { transformErrors } from './transform-protocol.ts';
import type { TransformReply, TransformRequest, TransformResults, TransformTask, TransformWorkerData } from './transform-protocol.ts';

/** A result waits no longer than this for the others of its batch. */
const MAX_REPLY_DELAY_MS = 1;

/** A little less important than what somebody waits for: the mount's own thread and the programs that use it. */
const NICENESS = 5;

// On Linux this is about the calling thread alone.
if (getPriority() < NICENESS) setPriority(NICENESS);

const port = parentPort;
if (port === null) throw new Error('transform-worker runs in a worker thread only');
const envelope = createEnvelope((workerData as TransformWorkerData).envelope);

port.on('message', (batch: readonly TransformRequest[]) => {
  let replies: TransformReply[] = [];
  let buffers: ArrayBuffer[] = [];
  let lastSentMs = performance.now();
  const send = (): void => {
    port.postMessage(replies, buffers);
    replies = [];
    buffers = [];
    lastSentMs = performance.now();
  };
  for (const { id, task } of batch) {
    try {
      const { result, transfer } = run(task);
      replies.push({ id, result });
      buffers.push(transfer);
    } catch (error) {
      replies.push({ id, error: transformErrors.encode(error) });
    }
    if (performance.now() - lastSentMs > MAX_REPLY_DELAY_MS) send();
  }
  if (replies.length > 0) send();
});

function run(task: TransformTask): { result: TransformResults[TransformTask['kind']]; transfer: ArrayBuffer } {
  switch (task.kind) {
    case 'hash':
      return { result: { digest: sha256(task.bytes), bytes: task.bytes }, transfer: task.bytes.buffer };
    case 'hash-file': {
      const bytes = readPart(task.fd, task.position, task.lengthBytes);
      return { result: { digest: sha256(bytes), bytes }, transfer: bytes.buffer };
    }
    case 'seal': {
      const sealed = envelope.seal(task.key, task.bytes, task.compression);
      const payload = handedOver(sealed.payload);
      if (payload.buffer !== task.bytes.buffer) releaseBuffer(task.bytes);
      return { result: { metadata: withOwnBuffers(sealed.metadata), payload }, transfer: payload.buffer };
    }
    case 'open': {
      const bytes = handedOver(envelope.open(task.key, task.metadata, task.payload, task.maxSizeBytes));
      if (task.expectedDigest !== undefined && Buffer.compare(sha256(bytes), task.expectedDigest) !== 0) {
        throw new IntegrityError(task.key, 'its content is not what the metadata says');
      }
      if (bytes.buffer !== task.payload.buffer) releaseBuffer(task.payload);
      return { result: { bytes }, transfer: bytes.buffer };
    }
    default:
      throw new Error('unknown transform task', { cause: task satisfies never });
  }
}

function sha256(bytes: Uint8Array): Uint8Array {
  return transferable(hash('sha256', bytes, 'buffer'));
}

/** The bytes with a buffer that can go to the other thread; nobody here looks at them any more. */
function handedOver(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const result = transferable(bytes);
  if (result.buffer !== bytes.buffer) releaseBuffer(bytes);
  return result;
}

/** Cloning a small view into Node's buffer pool would send all of the pool along. */
function withOwnBuffers(metadata: ObjectMetadata): ObjectMetadata {
  const entries = Object.entries(metadata).map(
    ([name, value]) => [name, value instanceof Uint8Array ? transferable(value) : value] as const,
  );
  return Object.fromEntries(entries);
}

/** Bytes beyond the end of the file are zeros, as in a block that was cut short. */
function readPart(fd: number, position: number, lengthBytes: number): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.allocUnsafeSlow(lengthBytes);
  let offset = 0;
  while (offset < lengthBytes) {
    const count = readSync(fd, bytes, offset, lengthBytes - offset, position + offset);
    if (count === 0) return bytes.fill(0, offset);
    offset += count;
  }
  return bytes;
}
