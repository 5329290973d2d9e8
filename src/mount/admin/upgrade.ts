/** s3qladm upgrade: there is one revision that this program knows, so it can only say what another one needs. */
import { NoSuchObjectError } from '../../backends/errors.ts';
import type { AdminRequest, AdminInteraction, AdminResult } from '../../cli/run-adm.ts';
import { fetchSuperblock } from '../../metadata/generations.ts';
import { REVISION } from '../../metadata/superblock.ts';
import { UserError } from '../../util/errors.ts';
import { openObjects } from '../open-store.ts';

const EXIT_TOO_OLD = 32;
const EXIT_NO_FILE_SYSTEM = 18;
const OLD_METADATA_KEY = 's3ql_metadata';

/** @throws UserError exit 32 for older revisions, 33 for newer ones */
export async function upgrade({ storage, compress }: AdminRequest, interaction: AdminInteraction): Promise<AdminResult> {
  const { objects, backend } = await openObjects(storage, compress, interaction);
  await using _objects = objects;
  try {
    await fetchSuperblock(objects, { signal: interaction.signal });
  } catch (error) {
    const { exitCode } = error instanceof UserError ? error : { exitCode: undefined };
    const old = exitCode === EXIT_TOO_OLD || (exitCode === EXIT_NO_FILE_SYSTEM && (await exists(backend.stat(OLD_METADATA_KEY))));
    if (!old) throw error;
    throw new UserError(
      `The file system is older than revision ${REVISION}. Upgrade it with S3QL itself, version by version up to 5.0 ("s3qladm upgrade" there), ` +
        'on the machine that used it last; then it can be used here.',
      EXIT_TOO_OLD,
      { cause: error },
    );
  }
  return { text: `The file system has the newest revision (${REVISION}) already.\n`, json: { revision: REVISION, upgraded: false } };
}

async function exists(stat: Promise<unknown>): Promise<boolean> {
  try {
    await stat;
    return true;
  } catch (error) {
    if (error instanceof NoSuchObjectError) return false;
    throw error;
  }
}
