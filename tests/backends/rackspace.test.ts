/** rackspace:// is Swift behind a Keystone at a fixed host, to which a proxy leads here. */
import { afterAll, beforeAll } from 'vitest';
import { backendSpec, openBackend } from '../../src/backends/open-backend.ts';
import { withEnvironment } from '../support/environment.ts';
import { ForwardProxy } from '../support/servers/forward-proxy.ts';
import { KEYSTONE_REGION, KEYSTONE_USER, startKeystoneDouble } from '../support/servers/keystone-double.ts';
import { SWIFT_KEY, SWIFT_USER, SwiftServer } from '../support/servers/swift-server.ts';
import { backendConformance } from './conformance.ts';

const started = new AsyncDisposableStack();
let server: SwiftServer;
let containers = 0;

beforeAll(async () => {
  server = started.use(await SwiftServer.start());
  const double = { swiftUser: SWIFT_USER, swiftKey: SWIFT_KEY, swiftHost: server.host, versions: [2, 3] } as const;
  const keystone = started.use(await startKeystoneDouble(double));
  const proxy = started.use(
    await ForwardProxy.start({ route: (host) => (host === 'auth.api.rackspacecloud.com' ? keystone.port : undefined) }),
  );
  started.use(withEnvironment({ http_proxy: `127.0.0.1:${proxy.port}`, no_proxy: '127.0.0.1' }));
});

afterAll(() => started.disposeAsync());

backendConformance('rackspace', async () => {
  containers += 1;
  await server.createContainer(`c${containers}`);
  const url = `rackspace://${KEYSTONE_REGION}/c${containers}/prefix/`;
  const { name, password } = KEYSTONE_USER;
  return openBackend(backendSpec({ url, login: name, password, options: 'no-ssl,tcp-timeout=120' }));
});
