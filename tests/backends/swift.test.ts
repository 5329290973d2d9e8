import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import { backendSpec, openBackend } from '../../src/backends/open-backend.ts';
import { openingFailure } from '../support/opening-failure.ts';
import { LONG } from '../support/options.ts';
import { KeystoneServer } from '../support/servers/keystone-server.ts';
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
    backendSpec({
      url: `swift://${server.host}/c${containers}/prefix/`,
      login: SWIFT_USER,
      password: SWIFT_KEY,
      options: 'no-ssl,tcp-timeout=120',
    }),
  );
}

backendConformance('swift', open);

function keystoneSuite(): void {
  describe('with Keystone itself', () => {
    const user = { name: 'anna', password: 'pässword: with colons' };
    let keystone: KeystoneServer;
    let swift: SwiftServer;
    let project: string;
    let token: string;

    beforeAll(async () => {
      keystone = await KeystoneServer.start();
      swift = await SwiftServer.start({ filters: keystone.swiftFilters, auth: 'authtoken keystoneauth' });
      ({ projectId: project } = await keystone.addStoreAndUser(swift.host, user, 'backups'));
      token = await keystone.tokenFor(user, project);
    }, 300_000);

    afterAll(async () => {
      await swift[Symbol.asyncDispose]();
      await keystone[Symbol.asyncDispose]();
    });

    const openKeystone = async (login: string, options: string): Promise<Backend> => {
      containers += 1;
      await fetch(`http://${swift.host}/v1/AUTH_${project}/c${containers}`, { method: 'PUT', headers: { 'x-auth-token': token } });
      const url = `swiftks://${keystone.url.slice('http://'.length)}/${keystone.region}:c${containers}/prefix/`;
      return openBackend(backendSpec({ url, login, password: user.password, options: `no-ssl,${options}` }));
    };

    test.for([
      ['the project by id', 'ID:anna', 'domain=default'],
      ['the project by name', 'backups:anna', 'domain=default,tenant-is-name'],
      ['the domain by name', 'backups:anna', 'domain=Default,domain-is-name,tenant-is-name'],
      ['both domains', 'backups:anna', 'domain=default,project-domain=Default,project-domain-is-name,tenant-is-name'],
      ['the only project', 'anna', 'domain=default'],
    ] as const)('%s is found', async ([, login, options]) => {
      await using backend = await openKeystone(login.replace('ID', project), options);
      await backend.store('k', { a: 1 }, [Buffer.from('x')]);
      expect((await backend.fetch('k')).metadata).toEqual({ a: 1 });
    });

    test('a wrong password exits with 14, version 2 with 2', async () => {
      const url = `swiftks://${keystone.url.slice('http://'.length)}/${keystone.region}:c/`;
      const request = { url, login: 'backups:anna', password: 'wrong' };
      expect(await openingFailure(openBackend(backendSpec({ ...request, options: 'no-ssl,domain=default,tenant-is-name' })))).toMatchObject(
        { exitCode: 14 },
      );
      expect(await openingFailure(openBackend(backendSpec({ ...request, options: 'no-ssl,tcp-timeout=120' })))).toMatchObject({
        exitCode: 2,
      });
    });

    backendConformance('swiftks', () => openKeystone('backups:anna', 'domain=default,tenant-is-name'));
  });
}

if (LONG) keystoneSuite();
