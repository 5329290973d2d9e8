import { afterAll, beforeAll } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import { backendSpec, openBackend } from '../../src/backends/open-backend.ts';
import { SWIFT_KEY, SWIFT_USER, SwiftServer } from '../support/servers/swift-server.ts';
import { backendConformance } from './conformance.ts';

let server: SwiftServer;
let containers = 0;

beforeAll(async () => {
  server = await SwiftServer.start();
});

afterAll(() => server[Symbol.asyncDispose]());

async function open(): Promise<Backend> {
  containers += 1;
  await server.createContainer(`c${containers}`);
  return openBackend(
    backendSpec({ url: `swift://${server.host}/c${containers}/prefix/`, login: SWIFT_USER, password: SWIFT_KEY, options: 'no-ssl' }),
  );
}

backendConformance('swift', open);
