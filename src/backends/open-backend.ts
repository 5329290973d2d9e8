/** From a storage URL, options and credentials as a user gives them to an open store. Exit codes: S3QL behaviour 1.2. */
import { UserError } from '../util/errors.ts';
import type { BackendFactory, BackendOptions, BackendSpec, OpenSpec } from './backend-factory.ts';
import type { Backend } from './backend.ts';
import type { BandwidthLimits } from './bandwidth/bandwidth.ts';
import { backendFactories } from './registry.ts';

const DEFAULT_MAX_CONNECTIONS = 32;

export interface BackendRequest {
  /** As typed; canonical or not. */
  readonly url: string;
  readonly login?: string | undefined;
  readonly password?: string | undefined;
  /** `a,b=c`, or what parseBackendOptions made of it. */
  readonly options?: string | BackendOptions | undefined;
  readonly maxConnections?: number | undefined;
  readonly bandwidthLimits?: BandwidthLimits | undefined;
}

/**
 * The factory for the URL's scheme.
 * @throws UserError with exit code 2 if there is none
 */
export function backendFactoryFor(url: string): BackendFactory {
  const scheme = /^([a-z0-9+.-]+):\/\//i.exec(url)?.[1];
  const known = [...backendFactories.keys()].map((name) => `${name}://`).join(', ');
  if (scheme === undefined) throw new UserError(`"${url}" is not a storage URL: it must begin with one of ${known}.`, 2);
  const factory = backendFactories.get(scheme);
  if (factory === undefined) throw new UserError(`No such backend: "${scheme}". Known are ${known}.`, 2);
  return factory;
}

/** The canonical form of a storage URL. @throws UserError with exit code 2 */
export function canonicalStorageUrl(url: string): string {
  return backendFactoryFor(url).canonicalizeUrl(url);
}

/** Splits `a,b=c` into `{a: true, b: 'c'}`; the last of equal names wins. @throws UserError with exit code 2 for `=c` */
export function parseBackendOptions(text: string): BackendOptions {
  const entries: [string, string | true][] = [];
  for (const item of text.split(',')) {
    const option = item.trim();
    if (option === '') continue;
    const equals = option.indexOf('=');
    if (equals === 0) throw new UserError(`Backend option "${option}" has no name.`, 2);
    entries.push(equals === -1 ? [option, true] : [option.slice(0, equals).trimEnd(), option.slice(equals + 1).trimStart()]);
  }
  return Object.fromEntries(entries);
}

/**
 * Checks URL, options and credentials without touching the store.
 * @throws UserError: exit code 2 for a bad URL or an option without its value, 3 for an unknown option
 */
export function backendSpec(request: BackendRequest): BackendSpec {
  const factory = backendFactoryFor(request.url);
  const options = typeof request.options === 'string' ? parseBackendOptions(request.options) : (request.options ?? {});
  for (const [name, value] of Object.entries(options)) {
    const spec = Object.hasOwn(factory.options, name) ? factory.options[name] : undefined;
    if (spec === undefined) {
      const known = Object.keys(factory.options).join(', ') || 'none';
      throw new UserError(`Unknown option "${name}" for ${factory.scheme}://. Known are: ${known}.`, 3);
    }
    if (spec.takesValue && value === true) throw new UserError(`Backend option "${name}" needs a value: ${name}=...`, 2);
    if (!spec.takesValue && value !== true) throw new UserError(`Backend option "${name}" takes no value.`, 2);
  }
  return {
    url: factory.canonicalizeUrl(request.url),
    options,
    maxConnections: request.maxConnections ?? DEFAULT_MAX_CONNECTIONS,
    ...(request.login === undefined ? {} : { login: request.login }),
    ...(request.password === undefined ? {} : { password: request.password }),
    ...(request.bandwidthLimits === undefined ? {} : { bandwidthLimits: request.bandwidthLimits }),
  };
}

/** Opens the store itself, without decorators. @throws as BackendFactory.open */
export function openBackend(spec: OpenSpec): Promise<Backend> {
  return backendFactoryFor(spec.url).open(spec);
}

/** Removes what interrupted stores left behind (temporary files); returns how many items. Only while nobody else uses the store. */
export async function cleanUpBackend(spec: BackendSpec): Promise<number> {
  return (await backendFactoryFor(spec.url).cleanUp?.(spec)) ?? 0;
}
