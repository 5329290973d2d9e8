/** Opens a Swift container: login, first contact, features. */
import { UserError } from '../../util/errors.ts';
import type { Backend } from '../backend.ts';
import type { BackendSpec } from '../backend-factory.ts';
import { firstContact } from '../first-contact.ts';
import type { HttpClient } from '../http/http-client.ts';
import { openHttpClient, optionValue } from '../http/http-options.ts';
import { loginV1 } from './auth-v1.ts';
import { loginKeystone, type KeystoneName } from './keystone.ts';
import { SwiftBackend } from './swift-backend.ts';
import { expectContainer } from './swift-container.ts';
import { SwiftConnection } from './swift-connection.ts';
import { detectFeatures, NO_FEATURES } from './swift-features.ts';
import { parseKeystoneUrl, parseRackspaceUrl, parseSwiftUrl, type SwiftLocation } from './swift-location.ts';
import type { SwiftSession } from './swift-session.ts';

type Login = (http: HttpClient) => Promise<SwiftSession>;

/** swift:// */
export function openSwift(spec: BackendSpec): Promise<Backend> {
  const location = parseSwiftUrl(spec.url);
  const { login: user = '', password: key = '' } = spec;
  return open(spec, location, (http) => loginV1({ http, origin: authOrigin(spec, location), user, key }));
}

/** swiftks:// */
export function openKeystoneSwift(spec: BackendSpec): Promise<Backend> {
  return openWithKeystone(spec, parseKeystoneUrl(spec.url));
}

/** rackspace:// */
export function openRackspace(spec: BackendSpec): Promise<Backend> {
  return openWithKeystone(spec, parseRackspaceUrl(spec.url));
}

function openWithKeystone(spec: BackendSpec, location: SwiftLocation & { readonly region: string }): Promise<Backend> {
  const { login = '', password = '' } = spec;
  const colon = login.indexOf(':');
  const identityUrl = optionValue(spec, 'identity-url') ?? authOrigin(spec, location);
  if (!URL.canParse(identityUrl) || !/^https?:/.test(identityUrl))
    throw new UserError(`Backend option identity-url=${identityUrl} is no URL.`, 2);
  const userDomain = optionValue(spec, 'domain');
  const projectDomain = optionValue(spec, 'project-domain');
  const options = {
    identityUrl,
    region: location.region,
    user: login.slice(colon + 1),
    password,
    project: colon === -1 ? undefined : keystoneName(login.slice(0, colon), projectIsName(spec)),
    domains:
      userDomain === undefined
        ? undefined
        : {
            user: keystoneName(userDomain, spec.options['domain-is-name'] === true),
            project: keystoneName(
              projectDomain ?? userDomain,
              spec.options[projectDomain === undefined ? 'domain-is-name' : 'project-domain-is-name'] === true,
            ),
          },
  };
  return open(spec, location, (http) => loginKeystone({ ...options, http }));
}

/** Version 2 logins always named the project; with version 3 providers show ids, unless the user says otherwise. */
function projectIsName(spec: BackendSpec): boolean {
  return spec.options['domain'] === undefined || spec.options['tenant-is-name'] === true;
}

function keystoneName(value: string, isName: boolean): KeystoneName {
  return isName ? { name: value } : { id: value };
}

function authOrigin(spec: BackendSpec, { host }: SwiftLocation): string {
  return new URL(`${spec.options['no-ssl'] === true ? 'http' : 'https'}://${host}`).origin;
}

async function open(spec: BackendSpec, { container, prefix }: SwiftLocation, login: Login): Promise<Backend> {
  const http = openHttpClient(spec);
  try {
    const connection = await firstContact(() => SwiftConnection.open(http, () => login(http)));
    await firstContact(() => expectContainer(connection, container));
    const features = spec.options['no-feature-detection'] === true ? NO_FEATURES : await firstContact(() => detectFeatures(connection));
    return new SwiftBackend({ url: spec.url, connection, container, prefix, features, maxConnections: spec.maxConnections });
  } catch (error) {
    await http[Symbol.asyncDispose]();
    throw error;
  }
}
