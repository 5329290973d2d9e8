/** S3 servers of the tests as stores of file systems. */
import { LocalBackend } from '../../../src/backends/local/local-backend.ts';
import { PROBE_PREFIX } from '../../../src/backends/probe-objects.ts';
import { backendSpec, openBackend } from '../../../src/backends/open-backend.ts';
import { type S3Server, TEST_ACCOUNT } from '../../support/servers/s3-server.ts';

/** Content of an authentication file for them. */
export function authinfoOf(url: string): string {
  const { accessKeyId, secretAccessKey } = TEST_ACCOUNT;
  return `[test]\nstorage-url: ${url}\nbackend-login: ${accessKeyId}\nbackend-password: ${secretAccessKey}\n`;
}

/** Copies what a server has into a directory, as a local:// store has it, for readers that know only those. */
export async function copyToDirectory(server: S3Server, url: string, directory: string): Promise<void> {
  // A fault that no request has met is not for the copy.
  server.http.reset();
  await using from = await openBackend(
    backendSpec({ url, login: TEST_ACCOUNT.accessKeyId, password: TEST_ACCOUNT.secretAccessKey, options: 'no-ssl' }),
  );
  await using to = await LocalBackend.open(`local://${directory}`, directory);
  for await (const { key } of from.list('')) {
    if (key.startsWith(PROBE_PREFIX)) continue;
    const { metadata, payload } = await from.fetch(key);
    await to.store(key, metadata, [payload]);
  }
}
