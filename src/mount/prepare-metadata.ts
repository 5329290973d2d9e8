/** Gets the local copy of the metadata ready for a mount: uses, recovers or downloads it (choose-metadata.ts decides). */
import { downloadGeneration } from '../metadata/generation-download.ts';
import type { Superblock } from '../metadata/superblock.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { UserError } from '../util/errors.ts';
import type { Interaction } from '../util/interaction.ts';
import { logger } from '../util/log.ts';
import { chooseMetadata, type LocalSuperblocks } from './choose-metadata.ts';
import { EXIT_MOUNTED_ELSEWHERE } from './lease.ts';
import type { LocalDirectory } from './local-directory.ts';

const EXIT_NEEDS_FSCK = 30;

const log = logger('mount');

/** `recovered`: the state of a mount here that did not end well; `taken-over`: the last complete generation of a mount elsewhere that has not ended. */
export type MetadataOrigin = 'as-stored' | 'recovered' | 'taken-over';

export interface PreparedMetadata {
  readonly origin: MetadataOrigin;
}

/** Afterwards the database in the local directory is the newest state of the file system there is. @throws UserError exit 30, 31 */
export async function prepareMetadata(
  local: LocalDirectory,
  objects: ObjectStore,
  copies: LocalSuperblocks | undefined,
  remote: Superblock,
  { takeOver = false, progress, signal }: Pick<Interaction, 'progress' | 'signal'> & { readonly takeOver?: boolean },
): Promise<PreparedMetadata> {
  const choice = chooseMetadata(copies, remote);
  if ('refuse' in choice) {
    if (choice.refuse === 'needs-fsck')
      throw new UserError('The file system is damaged or was not unmounted cleanly: run fsck.s3ql first.', EXIT_NEEDS_FSCK);
    if (!takeOver) {
      throw new UserError(
        'The file system is still mounted elsewhere, or the machine that had it mounted crashed. ' +
          'Unmount it there, or mount it there again, which recovers what that machine did not store yet. ' +
          'If that machine is lost for good, use --take-over.',
        EXIT_MOUNTED_ELSEWHERE,
      );
    }
    log.warn(
      'Taking the file system over from the machine that had it mounted, as of %s (generation %d). What that machine wrote later and ' +
        'did not store is not there. If it is still running, it stops writing; what it has not stored stays in its cache directory.',
      new Date(remote.lastModifiedSeconds * 1000).toISOString(),
      remote.seqNo,
    );
    await download(copies !== undefined);
    return { origin: 'taken-over' };
  }
  if (choice.use === 'local') {
    log.info('Using cached metadata.');
    return { origin: 'as-stored' };
  }
  if (choice.use === 'recovered-local') return { origin: 'recovered' };
  await download(choice.setAside);
  return { origin: 'as-stored' };

  async function download(setAside: boolean): Promise<void> {
    if (setAside) {
      log.warn(
        'The file system was used elsewhere since a mount here crashed. What that mount had not stored is kept in %s',
        local.setAside(),
      );
    }
    local.clear();
    log.info('Downloading metadata...');
    await downloadGeneration({ store: objects, paths: local, superblock: remote, progress, signal });
  }
}
