/** Keeps everybody else from the file system while an action of s3qladm changes it. */
import type { Backend } from '../../backends/backend.ts';
import type { AdminRequest } from '../../cli/run-adm.ts';
import type { ObjectStore } from '../../objects/object-store.ts';
import { holdFileSystem, knownCopies } from '../hold-file-system.ts';
import type { Lease } from '../lease.ts';
import type { LocalDirectory } from '../local-directory.ts';
import { SuperblockKeeper } from '../superblock-keeper.ts';

export interface ActionParts {
  readonly request: AdminRequest;
  readonly objects: ObjectStore;
  readonly backend: Backend;
  readonly local: LocalDirectory;
  readonly signal: AbortSignal;
}

/** As others are told. */
export function adminProgram({ action }: Pick<AdminRequest, 'action'>): string {
  return `s3qladm ${action}`;
}

/** To be released. @throws UserError exit 31 if another machine uses the file system */
export async function holdForAction({ request, objects, backend, local, signal }: ActionParts): Promise<Lease> {
  const keeper = new SuperblockKeeper(local, objects, request.compress);
  return holdFileSystem({
    backend,
    objects,
    local,
    copies: await knownCopies(keeper),
    program: adminProgram(request),
    force: request.takeOver,
    override: '--take-over',
    signal,
  });
}
