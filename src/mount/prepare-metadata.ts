/** Gets the local copy of the metadata ready for a mount: uses, recovers or downloads it (choose-metadata.ts decides). */
import { downloadGeneration } from '../metadata/generation-download.ts';
import type { Superblock } from '../metadata/superblock.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { UserError } from '../util/errors.ts';
import type { Interaction } from '../util/interaction.ts';
import { logger } from '../util/log.ts';
import { chooseMetadata, type LocalSuperblocks } from './choose-metadata.ts';
import type { LocalDirectory } from './local-directory.ts';

const EXIT_NEEDS_FSCK = 30;
const EXIT_MOUNTED_ELSEWHERE = 31;

const log = logger('mount');

/** Afterwards the database in the local directory is the newest state of the file system there is. Returns whether it is that of a mount here that did not end well. @throws UserError exit 30, 31 */
export async function prepareMetadata(
  local: LocalDirectory,
  objects: ObjectStore,
  copies: LocalSuperblocks | undefined,
  remote: Superblock,
  { progress, signal }: Pick<Interaction, 'progress' | 'signal'>,
): Promise<boolean> {
  const choice = chooseMetadata(copies, remote);
  if ('refuse' in choice) {
    throw choice.refuse === 'needs-fsck'
      ? new UserError('The file system is damaged or was not unmounted cleanly: run fsck.s3ql first.', EXIT_NEEDS_FSCK)
      : new UserError(
          'The file system is still mounted elsewhere, or the machine that had it mounted crashed. ' +
            'Unmount it there, or mount it there again, which recovers what that machine did not store yet.',
          EXIT_MOUNTED_ELSEWHERE,
        );
  }
  if (choice.use === 'local') {
    log.info('Using cached metadata.');
    return false;
  }
  if (choice.use === 'recovered-local') {
    log.info('The last mount did not end cleanly: recovering from the local copy.');
    return true;
  }
  if (choice.setAside) {
    log.warn(
      'The file system was used elsewhere since a mount here crashed. What that mount had not stored is kept in %s',
      local.setAside(),
    );
  }
  local.clear();
  log.info('Downloading metadata...');
  await downloadGeneration({ store: objects, paths: local, superblock: remote, progress, signal });
  return false;
}
