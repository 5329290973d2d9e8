/** Deleting up to 256 blobs with one request. https://learn.microsoft.com/rest/api/storageservices/blob-batch */
import { randomBytes } from 'node:crypto';
import { BackendError } from '../errors.ts';
import type { HttpResponse } from '../http/http-client.ts';
import type { AzureConnection, AzureRequest } from './azure-connection.ts';

export const MAX_BATCH_DELETE = 256;

const LINE_END = '\r\n';

/** Blobs that are not there are no error. @returns false if the service does not know batches */
export async function deleteManyAzure(
  connection: AzureConnection,
  keys: readonly string[],
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const boundary = `batch_${randomBytes(16).toString('hex')}`;
  const parts = await Promise.all(keys.map((key, index) => deletion(connection, key, index)));
  const text = [...parts.map((part) => `--${boundary}${LINE_END}${part}`), `--${boundary}--${LINE_END}`].join('');
  const response = await connection.send({
    method: 'POST',
    query: { comp: 'batch' },
    headers: { 'content-type': `multipart/mixed; boundary=${boundary}` },
    body: [Buffer.from(text)],
    signal,
  });
  if (response.status === 405 || response.status === 501) return false;
  if (response.status !== 202) throw connection.error(response);
  const answers = partialResponses(response, connection.host);
  if (answers.length !== keys.length) {
    throw new BackendError(`${connection.host} answered ${answers.length} of ${keys.length} deletions`, { temporary: true });
  }
  for (const answer of answers) {
    if (answer.status === 202 || (answer.status === 404 && answer.headers['x-ms-error-code'] !== 'ContainerNotFound')) continue;
    throw connection.error(answer);
  }
  return true;
}

async function deletion(connection: AzureConnection, key: string, index: number): Promise<string> {
  const request: AzureRequest = { method: 'DELETE', key };
  const { target, headers } = await connection.authorizedPart(request);
  const lines = Object.entries({ ...headers, 'content-length': '0' }).map(([name, value]) => `${name}: ${value}`);
  return [
    'Content-Type: application/http',
    'Content-Transfer-Encoding: binary',
    `Content-ID: ${index}`,
    '',
    `DELETE ${target} HTTP/1.1`,
    ...lines,
    '',
    '',
  ].join(LINE_END);
}

/** The answers within an answer to a batch. */
function partialResponses({ headers, body }: HttpResponse, host: string): HttpResponse[] {
  const boundary = /boundary="?([^";]+)"?/i.exec(headers['content-type'] ?? '')?.[1];
  if (boundary === undefined) throw new BackendError(`${host} answered a batch with something else`, { temporary: true });
  return Buffer.from(body)
    .toString('utf8')
    .split(`--${boundary}`)
    .flatMap((part) => {
      const start = /HTTP\/1\.1 (\d{3})[^\n]*\n/.exec(part);
      if (start === null) return [];
      const [head = '', ...rest] = part.slice(start.index + start[0].length).split(/\r?\n\r?\n/);
      const entries = head.split(/\r?\n/).map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
      });
      return [
        { status: Number(start[1]), headers: Object.fromEntries(entries), body: Buffer.from(rest.join('\n\n')), retryAfterMs: undefined },
      ];
    });
}
