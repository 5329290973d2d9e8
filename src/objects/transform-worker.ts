/** A thread of the transform pool: hashes, compresses, encrypts, and the inverse. One task at a time; nothing is kept between tasks. */
import { hash } from 'node:crypto';
import { readSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { createEnvelope } from '../envelope/envelope.ts';
import { IntegrityError } from '../envelope/integrity-error.ts';
import { transferable } from '../util/transferable.ts';
import type { TransformReply, TransformRequest, TransformResults, TransformTask, TransformWorkerData } from './transform-protocol.ts';

const port = parentPort;
if (port === null) throw new Error('transform-worker runs in a worker thread only');
const envelope = createEnvelope((workerData as TransformWorkerData).envelope);

port.on('message', ({ id, task }: TransformRequest) => {
  try {
    const { result, transfer } = run(task);
    port.postMessage({ id, result } satisfies TransformReply, [transfer]);
  } catch (error) {
    const reply: TransformReply =
      error instanceof IntegrityError ? { id, damage: { key: error.key, reason: error.reason } } : { id, error };
    port.postMessage(reply);
  }
});

function run(task: TransformTask): { result: TransformResults[TransformTask['kind']]; transfer: ArrayBuffer } {
  switch (task.kind) {
    case 'hash':
      return { result: { digest: sha256(task.bytes), bytes: task.bytes }, transfer: task.bytes.buffer };
    case 'hash-file': {
      const bytes = readFully(task.fd, task.position, task.lengthBytes);
      return { result: { digest: sha256(bytes), bytes }, transfer: bytes.buffer };
    }
    case 'seal': {
      const sealed = envelope.seal(task.key, task.bytes, task.compression);
      const payload = transferable(sealed.payload);
      return { result: { metadata: sealed.metadata, payload }, transfer: payload.buffer };
    }
    case 'open': {
      const bytes = transferable(envelope.open(task.key, task.metadata, task.payload, task.maxSizeBytes));
      if (task.expectedDigest !== undefined && Buffer.compare(sha256(bytes), task.expectedDigest) !== 0) {
        throw new IntegrityError(task.key, 'its content is not what the metadata says');
      }
      return { result: { bytes }, transfer: bytes.buffer };
    }
    default:
      throw new Error('unknown transform task', { cause: task satisfies never });
  }
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(hash('sha256', bytes, 'buffer'));
}

/** Bytes beyond the end of the file are zeros, as in a block that was cut short. */
function readFully(fd: number, position: number, lengthBytes: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(lengthBytes);
  let offset = 0;
  while (offset < lengthBytes) {
    const count = readSync(fd, bytes, offset, lengthBytes - offset, position + offset);
    if (count === 0) break;
    offset += count;
  }
  return bytes;
}
