/** Every kind of store this program knows, by URL scheme. A new store is one more line here. */
import type { BackendFactory } from './backend-factory.ts';

const factories: readonly BackendFactory[] = [];

export const backendFactories: ReadonlyMap<string, BackendFactory> = new Map(factories.map((factory) => [factory.scheme, factory]));
