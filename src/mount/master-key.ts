/**
 * The objects that hold an encrypted file system's master key, wrapped with its passphrase: one and three spare copies (S3QL format 2.2). A file system
 * that has none of them is not encrypted.
 */
import type { Backend, ObjectKey } from '../backends/backend.ts';
import { CorruptedObjectError, NoSuchObjectError } from '../backends/errors.ts';
import { createEnvelope, passphraseEnvelope } from '../envelope/envelope.ts';
import { UserError } from '../util/errors.ts';

const PASSPHRASE_KEYS: readonly ObjectKey[] = ['s3ql_passphrase', 's3ql_passphrase_bak1', 's3ql_passphrase_bak2', 's3ql_passphrase_bak3'];
export const MASTER_KEY_BYTES = 32;
const EXIT_WRONG_PASSPHRASE = 17;

/** Asks for the passphrase; called only if the file system is encrypted. */
export type AskPassphrase = () => Promise<string>;

/** The master key; undefined if the file system is not encrypted. @throws UserError exit 17 */
export async function readMasterKey(backend: Backend, askPassphrase: AskPassphrase, signal?: AbortSignal): Promise<Uint8Array | undefined> {
  let passphrase: string | undefined;
  let failure: unknown;
  for (const key of PASSPHRASE_KEYS) {
    try {
      const object = await backend.fetch(key, signal === undefined ? {} : { signal });
      passphrase ??= await askPassphrase();
      const envelope = createEnvelope(passphraseEnvelope(passphrase));
      const masterKey = envelope.open(key, object.metadata, new Uint8Array(object.payload), MASTER_KEY_BYTES);
      if (masterKey.length !== MASTER_KEY_BYTES) throw new CorruptedObjectError(`object ${key} holds no master key`);
      return masterKey;
    } catch (error) {
      // A damaged copy is what the spare ones are for; a wrong passphrase fails on all of them.
      if (error instanceof CorruptedObjectError) failure = error;
      else if (!(error instanceof NoSuchObjectError)) throw error;
    }
  }
  if (failure === undefined) return undefined;
  throw new UserError(
    'Wrong passphrase (or the objects that hold the encryption key are damaged: then use "s3qladm recover-key").',
    EXIT_WRONG_PASSPHRASE,
    { cause: failure },
  );
}

/** Wraps the master key with the passphrase and stores it, spare copies first: the first object is what makes others valid. */
export async function writeMasterKey(backend: Backend, masterKey: Uint8Array, passphrase: string): Promise<void> {
  const envelope = createEnvelope(passphraseEnvelope(passphrase));
  for (const key of PASSPHRASE_KEYS.toReversed()) {
    const { metadata, payload } = envelope.seal(key, new Uint8Array(masterKey), { algorithm: 'none', level: 0 });
    await backend.store(key, metadata, [payload]);
  }
}

/** Removes what an interrupted mkfs may have left, so that the file system counts as unencrypted. */
export function deleteMasterKey(backend: Backend): Promise<void> {
  return backend.deleteMany(PASSPHRASE_KEYS);
}
