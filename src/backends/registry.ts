/** Every kind of store this program knows, by URL scheme. A new store is one more line here. */
import type { BackendFactory } from './backend-factory.ts';
import { localFactory } from './local/local-factory.ts';

const factories: readonly BackendFactory[] = [localFactory];

export const backendFactories: ReadonlyMap<string, BackendFactory> = new Map(factories.map((factory) => [factory.scheme, factory]));
