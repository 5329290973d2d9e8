/** s3qladm passphrase: the master key stays and is wrapped with another passphrase, so no data is encrypted anew. */
import type { AdminRequest, AdminInteraction, AdminResult } from '../../cli/run-adm.ts';
import { fetchSuperblock } from '../../metadata/generations.ts';
import { UserError } from '../../util/errors.ts';
import { LocalDirectory } from '../local-directory.ts';
import { writeMasterKey } from '../master-key.ts';
import { openObjects } from '../open-store.ts';
import { holdForAction } from './hold-for-action.ts';

/** @throws UserError exit 17, 18, 31, 40 */
export async function changePassphrase(request: AdminRequest, interaction: AdminInteraction): Promise<AdminResult> {
  const { storage, compress } = request;
  using local = new LocalDirectory(storage.cachedir, storage.backend.url);
  const { objects, backend, masterKey } = await openObjects(storage, compress, interaction);
  await using _objects = objects;
  if (masterKey === undefined) {
    await fetchSuperblock(objects, { signal: interaction.signal });
    throw new UserError('The file system is not encrypted: it has no passphrase.');
  }
  await using lease = await holdForAction({ request, objects, backend, local, signal: interaction.signal });
  const passphrase = await interaction.askSecret({
    prompt: 'Enter new encryption passphrase',
    confirmPrompt: 'Confirm new encryption passphrase',
  });
  await lease.requireHeld();
  await writeMasterKey(backend, masterKey, passphrase);
  return { text: 'The passphrase has been changed. If it is in the authfile, change it there, too.\n', json: { changed: true } };
}
