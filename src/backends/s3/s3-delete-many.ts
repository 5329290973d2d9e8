/** Deleting up to 1000 objects with one request. https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html */
import { createHash } from 'node:crypto';
import { escapeXml, expectXml, xmlChildren, xmlText } from '../http/xml.ts';
import type { S3Connection } from './s3-connection.ts';
import { s3CodeError } from './s3-errors.ts';

/** Objects that are not there are no error. @returns false if the store does not know this request */
export async function deleteManyS3(connection: S3Connection, keys: readonly string[], signal: AbortSignal | undefined): Promise<boolean> {
  const { prefix, origin } = connection.location;
  const objects = keys.map((key) => `<Object><Key>${escapeXml(prefix + key)}</Key></Object>`).join('');
  const body = Buffer.from(
    `<?xml version="1.0" encoding="UTF-8"?><Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Quiet>true</Quiet>${objects}</Delete>`,
    'utf8',
  );
  const headers = { 'content-type': 'application/xml', 'content-md5': createHash('md5').update(body).digest('base64') };
  const request = { method: 'POST', query: { delete: '' }, headers, body: [body], signal } as const;
  const response = await connection.send(request);
  if (response.status === 501 || response.status === 405) return false;
  if (response.status !== 200) throw await connection.error(request, response);
  const errors = xmlChildren(expectXml(response.body, 'DeleteResult', new URL(origin).host), 'Error');
  const error = errors.find((element) => xmlText(element, 'Code') !== 'NoSuchKey');
  if (error === undefined) return true;
  const key = xmlText(error, 'Key')?.slice(prefix.length);
  throw s3CodeError(xmlText(error, 'Code') ?? '', xmlText(error, 'Message'), response, connection.errorContext(key));
}
