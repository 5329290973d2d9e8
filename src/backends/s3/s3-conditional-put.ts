/** Finding out whether a store of the S3 family keeps the promises of If-None-Match and If-Match with PUT. Some ignore them silently. */
import { randomBytes } from 'node:crypto';
import { BackendError } from '../errors.ts';
import { isSuccess } from '../http/http-status.ts';
import { PROBE_PREFIX } from '../probe-objects.ts';
import type { S3Connection } from './s3-connection.ts';

const DELETE_ATTEMPTS = 3;
const NO_ETAG = '"00000000000000000000000000000000"';

export interface ConditionalPut {
  /** If-None-Match: * */
  readonly create: boolean;
  /** If-Match */
  readonly replace: boolean;
}

/** Tries on an object of its own, which it removes. A key that may not write counts as a store without conditional requests. */
export async function probeConditionalPut(connection: S3Connection): Promise<ConditionalPut> {
  const key = `${PROBE_PREFIX}${randomBytes(8).toString('hex')}`;
  const put = async (headers: Readonly<Record<string, string>>): Promise<number> => {
    const { status } = await connection.send({ method: 'PUT', key, headers, body: [Buffer.from('probe')] });
    if (status === 429 || (status >= 500 && status !== 501)) throw new BackendError('the store is busy', { temporary: true });
    return status;
  };
  // None of them creates anything at a store that can do both, but the second.
  let replacesNothing: number, creates: number, createsAgain: number, replacesOther: number;
  try {
    replacesNothing = await put({ 'if-match': NO_ETAG });
    creates = await put({ 'if-none-match': '*' });
    createsAgain = await put({ 'if-none-match': '*' });
    replacesOther = await put({ 'if-match': NO_ETAG });
  } finally {
    await remove(connection, key);
  }
  const refused = (status: number): boolean => status === 412 || status === 404;
  return {
    create: isSuccess(creates) && createsAgain === 412,
    replace: refused(replacesNothing) && replacesOther === 412,
  };
}

/** As well as it can: nobody minds what is left (probe-objects.ts), as every name is another. */
async function remove(connection: S3Connection, key: string): Promise<void> {
  for (let attempt = 0; attempt < DELETE_ATTEMPTS; attempt += 1) {
    try {
      const { status } = await connection.send({ method: 'DELETE', key });
      if (isSuccess(status) || (status < 500 && status !== 429)) return;
    } catch {
      // The next attempt may do better.
    }
  }
}
