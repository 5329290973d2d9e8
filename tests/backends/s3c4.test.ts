import { afterAll, beforeAll, beforeEach } from 'vitest';
import { backendSpec, openBackend } from '../../src/backends/open-backend.ts';
import { S3Server, TEST_ACCOUNT } from '../support/servers/s3-server.ts';
import { backendConformance } from './conformance.ts';

let server: S3Server;

beforeAll(async () => {
  server = await S3Server.start();
});

beforeEach(() => server.clear());

afterAll(() => server[Symbol.asyncDispose]());

backendConformance('s3c4', () =>
  openBackend(
    backendSpec({
      url: `s3c4://${server.host}/bucket/some/prefix/`,
      login: TEST_ACCOUNT.accessKeyId,
      password: TEST_ACCOUNT.secretAccessKey,
      options: 'no-ssl',
    }),
  ),
);
