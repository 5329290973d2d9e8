/**
 * s3qladm clone: copies a file system to another storage URL, object by object, as they are: what is encrypted stays so, with the same
 * passphrase. Every copy is read back and compared. The superblock comes last, so that an interrupted copy is no file system; started again,
 * it goes on: data and metadata objects never change once they are stored, and those that are there are not copied again.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Backend, FetchedObject, ListedObject, ObjectKey } from '../../backends/backend.ts';
import { connect } from '../../backends/connect.ts';
import { CorruptedObjectError, NoSuchObjectError } from '../../backends/errors.ts';
import { PROBE_PREFIX } from '../../backends/probe-objects.ts';
import type { AdminRequest, AdminInteraction, AdminResult } from '../../cli/run-adm.ts';
import { SUPERBLOCK_KEY } from '../../metadata/object-keys.ts';
import { UserError } from '../../util/errors.ts';
import { forEachLimit } from '../../util/for-each-limit.ts';
import { samePublication } from '../choose-metadata.ts';
import { LEASE_KEY } from '../lease-record.ts';
import { LocalDirectory } from '../local-directory.ts';
import { openObjects } from '../open-store.ts';
import { fetchSuperblock } from '../../metadata/generations.ts';

const EXIT_NOT_CLEAN = 30;
const EXIT_MOUNTED = 31;
const DATA_PREFIX = 's3ql_data_';

/** @throws UserError exit 1 if the target has a file system, 30, 31, 40 if the source is in use or not clean */
export async function cloneStore(request: AdminRequest, interaction: AdminInteraction): Promise<AdminResult> {
  const { storage, target: targetStorage } = request;
  if (targetStorage === undefined) throw new UserError('Say where to with --to.', 2);
  if (targetStorage.backend.url === storage.backend.url) throw new UserError('A file system cannot be cloned onto itself.', 2);
  using _local = new LocalDirectory(storage.cachedir, storage.backend.url);
  const { objects, backend: source } = await openObjects(storage, request.compress, interaction);
  await using _objects = objects;
  const { signal, progress } = interaction;
  const superblock = await fetchSuperblock(objects, { signal });
  if (superblock.isMounted) {
    throw new UserError('The file system is mounted, or was not unmounted cleanly: unmount it, or mount it again, first.', EXIT_MOUNTED);
  }
  if (superblock.needsFsck) throw new UserError('The file system is damaged: run fsck.s3ql first.', EXIT_NOT_CLEAN);
  await using target = await connect(targetStorage.backend);
  if ((await statOf(target, SUPERBLOCK_KEY, signal)) !== undefined) {
    throw new UserError(`There is a file system at ${target.url} already. Use "s3qladm clear" if it is not wanted any more.`);
  }

  const listed: ListedObject[] = [];
  for await (const object of source.list('s3ql_', { signal })) {
    const { key } = object;
    if (key !== SUPERBLOCK_KEY && key !== LEASE_KEY && !key.startsWith(PROBE_PREFIX)) listed.push(object);
  }
  // Not all stores tell sizes in listings.
  const sizes = listed.map(({ storedSizeBytes }) => storedSizeBytes);
  const bytesTotal = sizes.includes(undefined) ? undefined : sizes.reduce((sum = 0, size = 0) => sum + size, 0);
  const present = new Set<ObjectKey>();
  for await (const { key } of target.list('s3ql_', { signal })) present.add(key);
  let copiedCount = 0;
  let done = 0;
  let bytesDone = 0;
  using step = progress.step('Copying objects', 'objects');
  const limit = Math.min(storage.backend.maxConnections, targetStorage.backend.maxConnections);
  await forEachLimit(
    listed,
    limit,
    async ({ key, storedSizeBytes }) => {
      let sizeBytes = 0;
      if (!present.has(key) || !(await isSame(source, target, key, signal))) {
        sizeBytes = await copy(source, target, key, signal);
        copiedCount += 1;
      }
      done += 1;
      bytesDone += storedSizeBytes ?? sizeBytes;
      step.update({ done, total: listed.length, bytesDone, ...(bytesTotal === undefined ? {} : { bytesTotal }) });
    },
    signal,
  );
  if (!samePublication(superblock, await fetchSuperblock(objects, { signal }))) {
    throw new UserError(
      'The file system was mounted while it was being cloned. Unmount it and clone it again: that goes on from here.',
      EXIT_MOUNTED,
    );
  }
  await copy(source, target, SUPERBLOCK_KEY, signal);
  const copied = copiedCount + 1;
  return {
    text: `The file system has been cloned to ${target.url}: ${copied} objects copied, ${listed.length + 1 - copied} were there already.\n`,
    json: { storageUrl: target.url, objectCount: listed.length + 1, copiedCount: copied },
  };
}

/** Whether an earlier run copied the object. Only names whose content never changes are trusted. */
async function isSame(source: Backend, target: Backend, key: ObjectKey, signal: AbortSignal): Promise<boolean> {
  if (!key.startsWith(DATA_PREFIX)) return false;
  const [from, to] = await Promise.all([source.fetch(key, { signal }), fetchCopy(target, key, signal)]);
  return to !== undefined && isEqual(from, to);
}

async function copy(source: Backend, target: Backend, key: ObjectKey, signal: AbortSignal): Promise<number> {
  const object = await source.fetch(key, { signal });
  await target.store(key, object.metadata, [object.payload], { signal });
  const stored = await fetchCopy(target, key, signal);
  if (stored === undefined || !isEqual(object, stored))
    throw new CorruptedObjectError(`the copy of ${key} at ${target.url} is not what was stored`);
  return object.payload.length;
}

function isEqual(a: FetchedObject, b: FetchedObject): boolean {
  return isDeepStrictEqual(a.metadata, b.metadata) && Buffer.compare(a.payload, b.payload) === 0;
}

/** Undefined if there is none, or a damaged one. */
async function fetchCopy(target: Backend, key: ObjectKey, signal: AbortSignal): Promise<FetchedObject | undefined> {
  try {
    return await target.fetch(key, { signal });
  } catch (error) {
    if (error instanceof NoSuchObjectError || error instanceof CorruptedObjectError) return undefined;
    throw error;
  }
}

async function statOf(backend: Backend, key: ObjectKey, signal: AbortSignal): Promise<unknown> {
  try {
    return await backend.stat(key, { signal });
  } catch (error) {
    if (error instanceof NoSuchObjectError) return undefined;
    throw error;
  }
}
