import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import { backendSpec, openBackend } from '../../src/backends/open-backend.ts';
import { S3Server, TEST_ACCOUNT } from '../support/servers/s3-server.ts';
import { backendConformance } from './conformance.ts';

/** An old store: signatures of version 2, listings of version 1, no conditions, no multiple deletion. */
let server: S3Server;

const open = (): Promise<Backend> =>
  openBackend(
    backendSpec({
      url: `s3c://${server.host}/bucket/prefix/`,
      login: TEST_ACCOUNT.accessKeyId,
      password: TEST_ACCOUNT.secretAccessKey,
      options: 'no-ssl,disable-expect100,dumb-copy,tcp-timeout=10',
    }),
  );

beforeAll(async () => {
  server = await S3Server.start({ signatureVersion: 2, lacks: ['list-v2', 'delete-many', 'conditional-put'] });
});

beforeEach(() => server.clear());

afterAll(() => server[Symbol.asyncDispose]());

backendConformance('s3c', open);

test('s3c:// never asks for several deletions at once', async () => {
  await using backend = await open();
  server.http.reset();
  await backend.deleteMany(['a', 'b']);
  expect(server.http.requests.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual([
    'DELETE /bucket/prefix/a',
    'DELETE /bucket/prefix/b',
  ]);
});
