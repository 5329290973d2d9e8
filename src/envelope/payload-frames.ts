/**
 * The plaintext of an encrypted payload (S3QL format 2.5): frames of { uint32-LE length, bytes }, an empty frame as the end, and an
 * HMAC-SHA-256 over all of it.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

const MAX_FRAME_BYTES = 262_144;
const LENGTH_BYTES = 4;
const HMAC_BYTES = 32;

/** Frames the data and appends the HMAC. */
export function frame(key: Uint8Array, data: Uint8Array): Buffer<ArrayBuffer> {
  const frameCount = Math.ceil(data.byteLength / MAX_FRAME_BYTES);
  const framed = Buffer.allocUnsafeSlow(data.byteLength + LENGTH_BYTES * (frameCount + 1) + HMAC_BYTES);
  let at = 0;
  for (let start = 0; start < data.byteLength; start += MAX_FRAME_BYTES) {
    const part = data.subarray(start, start + MAX_FRAME_BYTES);
    at = framed.writeUInt32LE(part.byteLength, at);
    framed.set(part, at);
    at += part.byteLength;
  }
  at = framed.writeUInt32LE(0, at);
  framed.set(createHmac('sha256', key).update(framed.subarray(0, at)).digest(), at);
  return framed;
}

/**
 * The framed data; `framed` is overwritten. Returns the reason as text if the frames do not add up or the HMAC is wrong.
 */
export function unframe(key: Uint8Array, framed: Buffer<ArrayBuffer>): Uint8Array<ArrayBuffer> | string {
  const end = framed.byteLength - HMAC_BYTES;
  const frames: { readonly start: number; readonly lengthBytes: number }[] = [];
  let at = 0;
  for (;;) {
    if (at + LENGTH_BYTES > end) return 'its payload is truncated or was not encrypted with this key';
    const lengthBytes = framed.readUInt32LE(at);
    at += LENGTH_BYTES;
    if (lengthBytes === 0) break;
    frames.push({ start: at, lengthBytes });
    at += lengthBytes;
  }
  if (at !== end) return 'something follows its payload';
  const hmac = createHmac('sha256', key).update(framed.subarray(0, end)).digest();
  if (!timingSafeEqual(hmac, framed.subarray(end))) return 'the checksum of its payload is wrong';

  // Move the frames together, behind the first length field.
  let joinedEnd = LENGTH_BYTES;
  for (const { start, lengthBytes } of frames) {
    framed.copyWithin(joinedEnd, start, start + lengthBytes);
    joinedEnd += lengthBytes;
  }
  return framed.subarray(LENGTH_BYTES, joinedEnd);
}
