/**
 * The part of the metadata database that the block cache uses, in memory, with exact reference counts and with epochs that a crash can
 * take back. Misuse throws.
 */
import type { BlockDatabase } from '../../../src/blocks/block-cache-options.ts';
import type { BlockTable, Epoch } from '../../../src/metadata/database.ts';
import type { BlockIndex, Inode, InodeId, ObjectId, StoredBlock } from '../../../src/metadata/types.ts';

interface ObjectRow {
  readonly digest: Uint8Array;
  readonly lengthBytes: number;
  references: number;
}

interface State {
  readonly rows: Map<InodeId, Map<BlockIndex, ObjectId>>;
  readonly objects: Map<ObjectId, ObjectRow>;
  readonly sizes: Map<InodeId, bigint>;
  nextObjectId: number;
}

export class FakeBlockDatabase implements BlockDatabase, BlockTable {
  #state: State = { rows: new Map(), objects: new Map(), sizes: new Map(), nextObjectId: 1 };
  #committed = new Map<Epoch, State>([[0, structuredClone(this.#state)]]);
  #unreferenced: ObjectId[] = [];
  pendingChangeCount = 0;
  openEpoch: Epoch = 1;
  durableEpoch: Epoch = 0;
  readonly blocks: BlockTable = this;

  readonly inodes: BlockDatabase['inodes'] = {
    get: (id: InodeId): Inode | undefined => {
      const size = this.#state.sizes.get(id);
      return size === undefined ? undefined : ({ id, size } as Inode);
    },
  };

  get committedEpoch(): Epoch {
    return this.openEpoch - 1;
  }

  setSize(inode: InodeId, size: bigint): void {
    this.pendingChangeCount += 1;
    this.#state.sizes.set(inode, size);
  }

  deleteInode(inode: InodeId): void {
    if (this.#state.rows.get(inode)?.size) throw new Error('inode deleted before its blocks');
    this.pendingChangeCount += 1;
    this.#state.sizes.delete(inode);
  }

  commit(): Epoch {
    if (this.pendingChangeCount === 0) return this.committedEpoch;
    this.pendingChangeCount = 0;
    this.#committed.set(this.openEpoch, structuredClone(this.#state));
    this.openEpoch += 1;
    return this.committedEpoch;
  }

  /** What an fdatasync of the WAL does: everything committed is durable. */
  makeDurable(): Epoch {
    this.durableEpoch = this.committedEpoch;
    for (const epoch of this.#committed.keys()) if (epoch < this.durableEpoch) this.#committed.delete(epoch);
    return this.durableEpoch;
  }

  /** The database as it is after a crash that fell back to a committed epoch, not older than the durable one. Epochs go on from there. */
  fork(epoch: Epoch): FakeBlockDatabase {
    const state = this.#committed.get(epoch);
    if (!state) throw new Error(`epoch ${epoch} is gone`);
    const fork = new FakeBlockDatabase();
    fork.#state = structuredClone(state);
    fork.#committed = new Map([[epoch, structuredClone(state)]]);
    fork.openEpoch = epoch + 1;
    fork.durableEpoch = epoch;
    return fork;
  }

  /** Ids handed out in the durable state. */
  get durableNextObjectId(): number {
    return this.#committed.get(this.durableEpoch)?.nextObjectId ?? 0;
  }

  get objectIds(): ObjectId[] {
    return [...this.#state.objects.keys()];
  }

  durableObjectIds(): ObjectId[] {
    return [...(this.#committed.get(this.durableEpoch)?.objects.keys() ?? [])];
  }

  /** Throws unless every count is the number of rows. */
  check(): void {
    const counts = new Map<ObjectId, number>();
    for (const rows of this.#state.rows.values()) for (const id of rows.values()) counts.set(id, (counts.get(id) ?? 0) + 1);
    for (const [id, { references }] of this.#state.objects) {
      if (references !== counts.get(id)) throw new Error(`object ${id} has count ${references}, should be ${counts.get(id) ?? 0}`);
    }
    for (const id of counts.keys()) if (!this.#state.objects.has(id)) throw new Error(`object ${id} is missing`);
  }

  atomic<T>(operation: () => T): T {
    return operation();
  }

  #stored(id: ObjectId): StoredBlock {
    const object = this.#state.objects.get(id);
    if (!object) throw new Error(`object ${id} is missing`);
    return { objectId: id, lengthBytes: object.lengthBytes, digest: object.digest };
  }

  get(inode: InodeId, block: BlockIndex): StoredBlock | undefined {
    const id = this.#state.rows.get(inode)?.get(block);
    return id === undefined ? undefined : this.#stored(id);
  }

  range(inode: InodeId, first: BlockIndex, end: BlockIndex, limit: number): Array<StoredBlock & { readonly block: BlockIndex }> {
    return [...(this.#state.rows.get(inode) ?? [])]
      .filter(([block]) => block >= first && block < end)
      .sort(([a], [b]) => a - b)
      .slice(0, limit)
      .map(([block, id]) => ({ ...this.#stored(id), block }));
  }

  usage(inode: InodeId): { blockCount: number; lengthBytes: bigint } {
    const rows = [...(this.#state.rows.get(inode)?.values() ?? [])];
    return { blockCount: rows.length, lengthBytes: rows.reduce((sum, id) => sum + BigInt(this.#stored(id).lengthBytes), 0n) };
  }

  findByDigest(digest: Uint8Array): { objectId: ObjectId; lengthBytes: number } | undefined {
    for (const [objectId, object] of this.#state.objects) {
      if (Buffer.compare(object.digest, digest) === 0) return { objectId, lengthBytes: object.lengthBytes };
    }
    return undefined;
  }

  hasObject(id: ObjectId): boolean {
    return this.#state.objects.has(id);
  }

  insertObject(id: ObjectId, digest: Uint8Array, lengthBytes: number): void {
    if (this.#state.objects.has(id)) throw new Error(`object ${id} exists`);
    if (id >= this.#state.nextObjectId) throw new Error(`object id ${id} was not reserved`);
    if (this.findByDigest(digest)) throw new Error('digest exists');
    this.pendingChangeCount += 1;
    this.#state.objects.set(id, { digest: Uint8Array.from(digest), lengthBytes, references: 0 });
  }

  link(inode: InodeId, block: BlockIndex, id: ObjectId): void {
    const object = this.#state.objects.get(id);
    if (!object) throw new Error(`object ${id} is missing`);
    if (!this.#state.sizes.has(inode)) throw new Error(`inode ${inode} is missing`);
    let rows = this.#state.rows.get(inode);
    if (!rows) this.#state.rows.set(inode, (rows = new Map()));
    const old = rows.get(block);
    if (old === id) return;
    this.pendingChangeCount += 1;
    object.references += 1;
    rows.set(block, id);
    if (old !== undefined) this.#dereference(old);
  }

  unlink(inode: InodeId, first: BlockIndex, end: BlockIndex, limit: number): number {
    const rows = this.#state.rows.get(inode);
    const blocks = [...(rows?.keys() ?? [])].filter((block) => block >= first && block < end).slice(0, limit);
    this.pendingChangeCount += blocks.length;
    for (const block of blocks) {
      const id = rows?.get(block);
      rows?.delete(block);
      if (id !== undefined) this.#dereference(id);
    }
    return blocks.length;
  }

  #dereference(id: ObjectId): void {
    const object = this.#state.objects.get(id);
    if (!object) throw new Error(`object ${id} is missing`);
    object.references -= 1;
    if (object.references > 0) return;
    this.#state.objects.delete(id);
    this.#unreferenced.push(id);
  }

  share(source: InodeId, target: InodeId, first: BlockIndex, end: BlockIndex, limit: number): BlockIndex | undefined {
    const rows = this.range(source, first, end, limit);
    for (const { block, objectId } of rows) this.link(target, block, objectId);
    const last = rows.at(-1);
    return last === undefined || rows.length < limit ? undefined : last.block + 1;
  }

  takeUnreferenced(): ObjectId[] {
    const ids = this.#unreferenced;
    this.#unreferenced = [];
    return ids;
  }

  reserveObjectIds(count: number): ObjectId {
    this.pendingChangeCount += 1;
    const first = this.#state.nextObjectId;
    this.#state.nextObjectId += count;
    return first as ObjectId;
  }
}
