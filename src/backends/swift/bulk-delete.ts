/** Deleting many objects with one request. https://docs.openstack.org/swift/latest/middleware.html#bulk-delete */
import { BackendError } from '../errors.ts';
import { isSuccess } from '../http/http-status.ts';
import { parseJson } from '../http/json.ts';
import { encodeComponent, encodePath } from '../http/percent-encoding.ts';
import type { SwiftConnection } from './swift-connection.ts';
import { swiftError, swiftStatusError } from './swift-errors.ts';

interface BulkAnswer {
  readonly 'Response Status'?: string;
  readonly 'Response Body'?: string;
  readonly Errors?: readonly (readonly [string, string])[];
}

/** @param objects names with prefix. Those that are not there are no error. */
export async function bulkDelete(
  connection: SwiftConnection,
  container: string,
  objects: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const lines = objects.map((object) => `/${encodeComponent(container)}/${encodePath(object)}\n`);
  const response = await connection.send({
    method: 'POST',
    query: { 'bulk-delete': '' },
    headers: { 'content-type': 'text/plain', accept: 'application/json' },
    body: [Buffer.from(lines.join(''), 'ascii')],
    signal,
  });
  if (!isSuccess(response.status)) throw swiftError(response, connection.host);
  const answer = parseJson<BulkAnswer>(response.body, connection.host);
  const failed = answer.Errors?.find(([, status]) => !status.startsWith('404'));
  const status = failed?.[1] ?? answer['Response Status'] ?? '';
  if (failed === undefined && /^(2\d\d|404)/.test(status)) return;
  const code = Number.parseInt(status, 10);
  if (Number.isNaN(code))
    throw new BackendError(`${connection.host} does not tell how a deletion of many objects ended`, { temporary: true });
  throw swiftStatusError(code, connection.host, { text: answer['Response Body'] ?? '' });
}
