/** Byte ranges of HTTP (RFC 9110, 14). */
import { BackendError } from '../errors.ts';
import type { HttpResponse } from './http-client.ts';

export interface ByteRange {
  readonly offset: number;
  /** At least 1. */
  readonly lengthBytes: number;
}

export function rangeHeader({ offset, lengthBytes }: ByteRange): { readonly range: string } {
  return { range: `bytes=${offset}-${offset + lengthBytes - 1}` };
}

/** What a server that ignores ranges should have sent. */
export function sliceOf(body: Uint8Array<ArrayBuffer>, { offset, lengthBytes }: ByteRange): Uint8Array<ArrayBuffer> {
  return body.slice(offset, offset + lengthBytes);
}

/** @throws BackendError (temporary) if a part of an object (HTTP 206) is not the part that was asked for, or was cut off */
export function expectWholeRange(asked: string | undefined, { status, headers, body }: Omit<HttpResponse, 'retryAfterMs'>): void {
  if (status !== 206) return;
  const [, first = '', last = ''] = /^bytes (\d+)-(\d+)\//.exec(headers['content-range'] ?? '') ?? [];
  const askedFirst = /^bytes=(\d+)-/.exec(asked ?? '')?.[1];
  if (first === '' || first !== askedFirst || body.byteLength !== Number(last) - Number(first) + 1) {
    throw new BackendError('the store sent another part of an object than was asked for', { temporary: true });
  }
}

/** The size of the whole object, from an answer to GET (with a range or without) or HEAD. @throws BackendError (temporary) if it isn't told */
export function totalSizeBytes(response: HttpResponse): number {
  const text = response.status === 206 ? /\/(\d+)$/.exec(response.headers['content-range'] ?? '')?.[1] : response.headers['content-length'];
  if (text === undefined || !/^\d+$/.test(text))
    throw new BackendError('the store does not tell the size of an object', { temporary: true });
  return Number(text);
}
