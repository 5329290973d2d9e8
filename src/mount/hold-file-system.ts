/** Keeps everybody else from a file system while a command changes it without mounting it. */
import type { Backend } from '../backends/backend.ts';
import { fetchSuperblock } from '../metadata/generations.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { UserError } from '../util/errors.ts';
import { chooseCheckSource } from './check-source.ts';
import type { LocalSuperblocks } from './choose-metadata.ts';
import { EXIT_MOUNTED_ELSEWHERE, Lease } from './lease.ts';
import type { LocalDirectory } from './local-directory.ts';
import type { SuperblockKeeper } from './superblock-keeper.ts';

export interface HoldOptions {
  readonly backend: Backend;
  readonly objects: ObjectStore;
  readonly local: LocalDirectory;
  /** What this machine knows of the file system. */
  readonly copies: LocalSuperblocks | undefined;
  /** The command, as others are told. */
  readonly program: string;
  /** Go on although another machine seems to use the file system; and how a user says so. */
  readonly force: boolean;
  readonly override: string;
  readonly signal: AbortSignal;
}

/** The lease of the file system, to be released. A superblock that cannot be read says nothing. @throws UserError exit 31 if another machine uses it */
export async function holdFileSystem(options: HoldOptions): Promise<Lease> {
  const { backend, objects, local, copies, force, override, signal } = options;
  const mountedElsewhere = async (): Promise<boolean> => {
    const remote = await fetchSuperblock(objects, { signal }).catch((error: unknown) => {
      if (error instanceof UserError) return undefined;
      throw error;
    });
    return remote !== undefined && 'refuse' in chooseCheckSource(copies, remote);
  };
  const { program } = options;
  await using unlessHeld = new AsyncDisposableStack();
  const lease = unlessHeld.use(await Lease.acquire({ backend, path: local.leasePath, program, signal, mountedElsewhere, force, override }));
  if (!force && (await mountedElsewhere())) {
    throw new UserError(
      'The file system is mounted elsewhere, or the machine that had it mounted crashed. Unmount it there, or mount it there again, ' +
        `which recovers what that machine did not store yet. If that machine is lost for good, use ${override}.`,
      EXIT_MOUNTED_ELSEWHERE,
    );
  }
  unlessHeld.move();
  return lease;
}

/** What this machine knows of the file system, as far as it can be read. */
export async function knownCopies(keeper: SuperblockKeeper): Promise<LocalSuperblocks | undefined> {
  return keeper.read().catch((error: unknown) => {
    if (error instanceof UserError) return undefined;
    throw error;
  });
}
