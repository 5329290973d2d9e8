import type { Backend, StoreOptions } from './backend.ts';
import { BackendError } from './errors.ts';

/** A condition that the store cannot keep must not be dropped silently. @throws BackendError */
export function requireConditions({ url, capabilities }: Pick<Backend, 'url' | 'capabilities'>, options: StoreOptions): void {
  if (options.ifAbsent === true && !capabilities.conditionalCreate) throw new BackendError(`${url} cannot create objects conditionally`);
  if (options.ifVersion !== undefined && !capabilities.conditionalReplace)
    throw new BackendError(`${url} cannot replace objects conditionally`);
}

/** What `copy` of a store does that cannot. */
export function refuseCopy({ url }: Pick<Backend, 'url'>): Promise<never> {
  return Promise.reject(new BackendError(`${url} cannot copy objects`));
}
