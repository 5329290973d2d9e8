/** From settings to an open object store of an existing file system: backend, key, envelope, superblock. What every command begins with that works on a file system. */
import { type Connect, connect } from '../backends/connect.ts';
import type { ConnectedBackend } from '../backends/decorated-backend.ts';
import type { StoreStateListener } from '../backends/decorators/retry.ts';
import type { StorageSettings } from '../cli/storage-settings.ts';
import type { CompressionSpec } from '../envelope/compression-spec.ts';
import { masterKeyEnvelope, plainEnvelope } from '../envelope/envelope.ts';
import { fetchSuperblock } from '../metadata/generations.ts';
import type { Superblock } from '../metadata/superblock.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { SealedObjectStore } from '../objects/sealed-object-store.ts';
import type { Interaction } from '../util/interaction.ts';
import { readMasterKey } from './master-key.ts';
import { defaultThreadCount } from './thread-count.ts';

export interface OpenStore extends OpenObjects {
  /** The current one. */
  readonly superblock: Superblock;
}

/**
 * @throws UserError exit 17 (passphrase), 18 (no file system), 32, 33 (revision); BackendError subclasses
 */
export async function openStore(
  storage: StorageSettings,
  compression: CompressionSpec,
  interaction: Pick<Interaction, 'askSecret' | 'signal'>,
  connectStore: Connect = connect,
  onState?: StoreStateListener,
): Promise<OpenStore> {
  const parts = await openObjects(storage, compression, interaction, (spec) => connectStore(spec, onState));
  try {
    return { ...parts, superblock: await fetchSuperblock(parts.objects, { signal: interaction.signal }) };
  } catch (error) {
    await parts.objects[Symbol.asyncDispose]();
    throw error;
  }
}

export interface OpenObjects {
  readonly objects: ObjectStore;
  /** What `objects` works on, and closes. */
  readonly backend: ConnectedBackend;
  /** Undefined: the file system is not encrypted. */
  readonly masterKey: Uint8Array | undefined;
}

/** The object store alone, whatever is in it. @throws UserError exit 17; BackendError subclasses */
export async function openObjects(
  storage: StorageSettings,
  compression: CompressionSpec,
  interaction: Pick<Interaction, 'askSecret' | 'signal'>,
  connectStore: Connect = connect,
): Promise<OpenObjects> {
  const { signal } = interaction;
  const backend = await connectStore(storage.backend);
  try {
    const masterKey = await readMasterKey(
      backend,
      async () => storage.fsPassphrase ?? interaction.askSecret({ prompt: 'Enter file system encryption passphrase' }),
      signal,
    );
    const envelope = masterKey === undefined ? plainEnvelope() : masterKeyEnvelope(masterKey);
    const objects = new SealedObjectStore({ backend, envelope, maxThreads: storage.maxThreads ?? defaultThreadCount(compression) });
    return { objects, backend, masterKey };
  } catch (error) {
    await backend[Symbol.asyncDispose]();
    throw error;
  }
}
