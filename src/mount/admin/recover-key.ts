/** s3qladm recover-key: wraps a master key that was written down with a new passphrase, when passphrase or key objects are lost. */
import type { Backend } from '../../backends/backend.ts';
import { connect } from '../../backends/connect.ts';
import type { AdminRequest, AdminInteraction, AdminResult } from '../../cli/run-adm.ts';
import { masterKeyEnvelope } from '../../envelope/envelope.ts';
import { fetchSuperblock } from '../../metadata/generations.ts';
import { DamagedSuperblockError } from '../../metadata/superblock.ts';
import { SUPERBLOCK_KEY } from '../../metadata/object-keys.ts';
import { CorruptedObjectError, NoSuchObjectError } from '../../backends/errors.ts';
import { SealedObjectStore } from '../../objects/sealed-object-store.ts';
import { UserError } from '../../util/errors.ts';
import { LocalDirectory } from '../local-directory.ts';
import { holdForAction } from './hold-for-action.ts';
import { MASTER_KEY_BYTES, writeMasterKey } from '../master-key.ts';

const EXIT_WRONG_KEY = 17;
const EXIT_NO_FILE_SYSTEM = 18;
const BASE64 = /^[A-Za-z0-9+/]{43}=$/;

/** @throws UserError exit 17 if the key does not open the file system, 31, 40; then nothing is changed */
export async function recoverKey(request: AdminRequest, { askSecret, signal }: AdminInteraction): Promise<AdminResult> {
  const { storage } = request;
  using local = new LocalDirectory(storage.cachedir, storage.backend.url);
  const backend = await connect(storage.backend);
  const masterKey = await askMasterKey(backend, askSecret, signal).catch(async (error: unknown) => {
    await backend[Symbol.asyncDispose]();
    throw error;
  });
  await using objects = new SealedObjectStore({ backend, envelope: masterKeyEnvelope(masterKey), maxThreads: 1 });
  try {
    await fetchSuperblock(objects, { signal });
  } catch (error) {
    const { cause } = error as Error;
    if (!(cause instanceof DamagedSuperblockError && cause.cause instanceof CorruptedObjectError)) throw error;
    throw new UserError('This is not the master key of the file system.', EXIT_WRONG_KEY, { cause: error });
  }
  await using lease = await holdForAction({ request, objects, backend, local, signal });
  const passphrase = await askSecret({ prompt: 'Enter new encryption passphrase', confirmPrompt: 'Confirm new encryption passphrase' });
  await lease.requireHeld();
  await writeMasterKey(backend, masterKey, passphrase);
  return { text: 'The master key has been stored under the new passphrase.\n', json: { recovered: true } };
}

/** Nobody is to type a key for a file system that is not there. @throws UserError exit 17, 18 */
async function askMasterKey(backend: Backend, askSecret: AdminInteraction['askSecret'], signal: AbortSignal): Promise<Uint8Array> {
  await backend.stat(SUPERBLOCK_KEY, { signal }).catch((error: unknown) => {
    if (!(error instanceof NoSuchObjectError)) throw error;
    throw new UserError(`No S3QL file system found at ${backend.url}.`, EXIT_NO_FILE_SYSTEM, { cause: error });
  });
  return parseMasterKey(await askSecret({ prompt: 'Enter master key (eleven groups of four characters)' }));
}

/** Spaces and line breaks do not matter. @throws UserError exit 17 */
export function parseMasterKey(text: string): Uint8Array {
  const compact = text.replaceAll(/\s/g, '');
  const key = new Uint8Array(Buffer.from(compact, 'base64'));
  if (!BASE64.test(compact) || key.length !== MASTER_KEY_BYTES) {
    throw new UserError('This is no master key: it has eleven groups of four characters, as mkfs.s3ql printed it.', EXIT_WRONG_KEY);
  }
  return key;
}
