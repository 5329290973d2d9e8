/** s3qladm passphrase: the master key stays and is wrapped with another passphrase, so no data is encrypted anew. */
import { connect } from '../../backends/connect.ts';
import type { AdminRequest, AdminInteraction, AdminResult } from '../../cli/run-adm.ts';
import { UserError } from '../../util/errors.ts';
import { LocalDirectory } from '../local-directory.ts';
import { readMasterKey, writeMasterKey } from '../master-key.ts';

/** @throws UserError exit 17 */
export async function changePassphrase({ storage }: AdminRequest, { askSecret, signal }: AdminInteraction): Promise<AdminResult> {
  using _local = new LocalDirectory(storage.cachedir, storage.backend.url);
  await using backend = await connect(storage.backend);
  const old = async (): Promise<string> => storage.fsPassphrase ?? askSecret({ prompt: 'Enter file system encryption passphrase' });
  const masterKey = await readMasterKey(backend, old, signal);
  if (masterKey === undefined) throw new UserError('The file system is not encrypted: it has no passphrase.');
  await writeMasterKey(
    backend,
    masterKey,
    await askSecret({ prompt: 'Enter new encryption passphrase', confirmPrompt: 'Confirm new encryption passphrase' }),
  );
  return { text: 'The passphrase has been changed. If it is in the authfile, change it there, too.\n', json: { changed: true } };
}
