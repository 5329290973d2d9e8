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

/** The size of the whole object, from an answer to GET (with a range or without) or HEAD. @throws BackendError (temporary) if it isn't told */
export function totalSizeBytes(response: HttpResponse): number {
  const text = response.status === 206 ? /\/(\d+)$/.exec(response.headers['content-range'] ?? '')?.[1] : response.headers['content-length'];
  if (text === undefined || !/^\d+$/.test(text))
    throw new BackendError('the store does not tell the size of an object', { temporary: true });
  return Number(text);
}
