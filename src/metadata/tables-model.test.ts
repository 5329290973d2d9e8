/** The tables against a model of plain maps, with random operations, roll-backs, commits and reopening. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createDatabase } from './create-database.ts';
import { SqliteMetadata } from './sqlite-metadata.ts';
import type { Inode, InodeId, ObjectId } from './types.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 's3ql-metadata-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const key = (value: Uint8Array): string => Buffer.from(value).toString('latin1');
const sorted = (rows: ReadonlyArray<readonly [string, unknown]>): ReadonlyArray<readonly [string, unknown]> =>
  rows.toSorted(([a], [b]) => (a < b ? -1 : 1));

interface Model {
  inodes: Map<number, Inode>;
  entries: Map<string, number>;
  xattrs: Map<string, string>;
  targets: Map<number, string>;
  blocks: Map<string, number>;
  objects: Map<number, { digest: string; length: number; stored: number; references: number }>;
}

const copy = (model: Model): Model => structuredClone(model);

type Operation =
  | { kind: 'create' | 'delete' | 'touch' | 'target'; inode: number; value: bigint }
  | { kind: 'insert' | 'remove' | 'replace'; parent: number; name: number; inode: number }
  | { kind: 'xattr' | 'unxattr' | 'unxattrAll'; inode: number; name: number; value: number }
  | { kind: 'store' | 'link' | 'unlink' | 'share'; inode: number; block: number; object: number; count: number }
  | { kind: 'commit' | 'list' | 'reopen' }
  | { kind: 'atomic'; fails: boolean; operations: Operation[] };

const small = fc.nat({ max: 5 });
const operation: fc.Arbitrary<Operation> = fc.letrec<{ operation: Operation }>((tie) => ({
  operation: fc.oneof(
    { maxDepth: 2 },
    fc.record({
      kind: fc.constantFrom('create', 'delete', 'touch', 'target'),
      inode: small,
      value: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
    }),
    fc.record({ kind: fc.constantFrom('insert', 'remove', 'replace'), parent: small, name: small, inode: small }),
    fc.record({ kind: fc.constantFrom('xattr', 'unxattr', 'unxattrAll'), inode: small, name: small, value: small }),
    fc.record({ kind: fc.constantFrom('store', 'link', 'unlink', 'share'), inode: small, block: small, object: small, count: small }),
    fc.record({ kind: fc.constantFrom('commit', 'list', 'reopen') }),
    fc.record({ kind: fc.constant('atomic'), fails: fc.boolean(), operations: fc.array(tie('operation'), { maxLength: 6 }) }),
  ) as fc.Arbitrary<Operation>,
})).operation;

class Expected extends Error {}

/** Applies operations to both sides; `small` numbers choose among what exists. */
class Pair {
  database: SqliteMetadata;
  model: Model;
  #unreferenced = new Set<number>();
  #digestCount = 0;
  readonly #path: string;

  constructor(file: string) {
    this.#path = file;
    this.database = new SqliteMetadata(file);
    this.model = { inodes: new Map(), entries: new Map(), xattrs: new Map(), targets: new Map(), blocks: new Map(), objects: new Map() };
  }

  #inode(choice: number): InodeId | undefined {
    const ids = [...this.model.inodes.keys()];
    return ids[choice % Math.max(ids.length, 1)] as InodeId | undefined;
  }

  #dropReferences(object: number, count: number): void {
    const row = this.model.objects.get(object);
    if (row === undefined) throw new Error(`model: no object ${object}`);
    row.references -= count;
    if (row.references === 0) {
      this.model.objects.delete(object);
      this.#unreferenced.add(object);
    }
  }

  run(operation: Operation, depth: number = 0): void {
    const { database, model } = this;
    const inode = 'inode' in operation ? this.#inode(operation.inode) : undefined;
    switch (operation.kind) {
      case 'create': {
        const created = database.inodes.create({
          mode: 0o100644,
          uid: 1,
          gid: 2,
          atimeNs: operation.value,
          mtimeNs: 0n,
          ctimeNs: -1n,
          linkCount: operation.inode % 2,
          size: operation.value,
          rdev: 0,
          locked: false,
        });
        model.inodes.set(created.id, { ...created });
        break;
      }
      case 'delete':
        if (inode === undefined) break;
        database.inodes.delete(inode);
        model.inodes.delete(inode);
        break;
      case 'touch': {
        if (inode === undefined) break;
        const record = database.inodes.get(inode) as Inode;
        record.mtimeNs = operation.value;
        record.size = operation.value / 2n;
        database.inodes.update(record);
        Object.assign(model.inodes.get(inode) as Inode, { mtimeNs: operation.value, size: operation.value / 2n });
        break;
      }
      case 'target':
        if (inode === undefined) break;
        if (operation.value % 2n === 0n) {
          database.symlinks.set(inode, bytes(`${operation.value}`));
          model.targets.set(inode, `${operation.value}`);
        } else {
          database.symlinks.delete(inode);
          model.targets.delete(inode);
        }
        break;
      case 'insert':
      case 'remove':
      case 'replace': {
        const at = `${operation.parent}/${operation.name}`;
        const exists = model.entries.has(at);
        const parent = (1_000_000 + operation.parent) as InodeId;
        const name = bytes(`n${operation.name}`);
        if (operation.kind === 'insert') {
          if (exists) assert.throws(() => database.entries.insert(parent, name, 1 as InodeId), { code: 'EEXIST' });
          else database.entries.insert(parent, name, operation.inode as InodeId);
          if (!exists) model.entries.set(at, operation.inode);
        } else if (operation.kind === 'remove') {
          if (exists) database.entries.remove(parent, name);
          else assert.throws(() => database.entries.remove(parent, name), { code: 'ENOENT' });
          model.entries.delete(at);
        } else {
          if (exists) database.entries.replace(parent, name, operation.inode as InodeId);
          else assert.throws(() => database.entries.replace(parent, name, 1 as InodeId), { code: 'ENOENT' });
          if (exists) model.entries.set(at, operation.inode);
        }
        break;
      }
      case 'xattr':
        database.xattrs.set(operation.inode as InodeId, bytes(`n${operation.name}`), new Uint8Array(operation.value));
        model.xattrs.set(`${operation.inode}/n${operation.name}`, '\0'.repeat(operation.value));
        break;
      case 'unxattr': {
        const there = model.xattrs.delete(`${operation.inode}/n${operation.name}`);
        assert.equal(database.xattrs.remove(operation.inode as InodeId, bytes(`n${operation.name}`)), there);
        break;
      }
      case 'unxattrAll':
        database.xattrs.removeAll(operation.inode as InodeId);
        for (const at of model.xattrs.keys()) if (at.startsWith(`${operation.inode}/`)) model.xattrs.delete(at);
        break;
      case 'store': {
        const id = database.blocks.reserveObjectIds(1 + operation.count);
        const digest = new Uint8Array(32);
        new DataView(digest.buffer).setUint32(28, ++this.#digestCount);
        const stored = operation.object - 1;
        database.blocks.insertObject(id, digest, operation.count * 1000, stored);
        database.blocks.link(operation.inode as InodeId, operation.block, id);
        model.objects.set(id, { digest: key(digest), length: operation.count * 1000, stored, references: 0 });
        this.#link(operation.inode, operation.block, id);
        break;
      }
      case 'link': {
        const ids = [...model.objects.keys()];
        const id = ids[operation.object % Math.max(ids.length, 1)];
        if (id === undefined) break;
        database.blocks.link(operation.inode as InodeId, operation.block, id as ObjectId);
        this.#link(operation.inode, operation.block, id);
        break;
      }
      case 'unlink': {
        const expected = this.#unlink(operation.inode, operation.block, operation.count);
        assert.equal(database.blocks.unlink(operation.inode as InodeId, operation.block, 6, operation.count), expected);
        break;
      }
      case 'share': {
        const target = 5 - operation.inode;
        database.blocks.unlink(target as InodeId, 0, 6, 6);
        this.#unlink(target, 0, 6);
        let shared = 0;
        let next: number | undefined;
        for (let block = operation.block; block < 6 && shared < operation.count; block++) {
          const object = model.blocks.get(`${operation.inode}/${block}`);
          if (object === undefined) continue;
          this.#link(target, block, object);
          next = block + 1;
          shared++;
        }
        const { inode: source, block, count } = operation;
        assert.equal(
          database.blocks.share(source as InodeId, target as InodeId, block, 6, count),
          count > 0 && shared === count ? next : undefined,
        );
        break;
      }
      case 'list':
        assert.deepEqual(
          database.inodes.orphans(),
          [...model.inodes.values()].filter((inode) => inode.linkCount === 0).map((inode) => inode.id),
        );
        break;
      case 'commit':
        if (depth === 0) database.commit();
        break;
      case 'reopen':
        if (depth > 0) break;
        database.commit();
        assert.deepEqual(new Set<number>(database.blocks.takeUnreferenced()), this.#unreferenced);
        this.#unreferenced.clear();
        database[Symbol.dispose]();
        this.database = new SqliteMetadata(this.#path);
        break;
      case 'atomic': {
        const before = copy(model);
        const unreferenced = new Set(this.#unreferenced);
        try {
          database.atomic(() => {
            for (const inner of operation.operations) this.run(inner, depth + 1);
            if (operation.fails) throw new Expected();
          });
        } catch (error) {
          if (!(error instanceof Expected)) throw error;
          this.model = before;
          this.#unreferenced = unreferenced;
        }
        break;
      }
    }
  }

  /** Returns how many rows went. */
  #unlink(inode: number, first: number, limit: number): number {
    let count = 0;
    for (let block = first; block < 6 && count < limit; block++) {
      const object = this.model.blocks.get(`${inode}/${block}`);
      if (object === undefined) continue;
      this.model.blocks.delete(`${inode}/${block}`);
      this.#dropReferences(object, 1);
      count++;
    }
    return count;
  }

  #link(inode: number, block: number, object: number): void {
    const at = `${inode}/${block}`;
    const before = this.model.blocks.get(at);
    const row = this.model.objects.get(object);
    if (row === undefined) throw new Error(`model: no object ${object}`);
    row.references++;
    this.model.blocks.set(at, object);
    if (before !== undefined) this.#dropReferences(before, 1);
  }

  /** Compares everything that the interface shows. */
  compare(): void {
    const { database, model } = this;
    for (const [id, inode] of model.inodes) assert.deepEqual(database.inodes.get(id as InodeId), inode);
    for (let number = 0; number < 6; number++) {
      this.#compareDirectory(number);
      this.#compareXattrs(number);
      this.#compareBlocks(number);
    }
    for (const [inode, target] of model.targets) assert.deepEqual(database.symlinks.target(inode as InodeId), bytes(target));
    for (const [id, object] of model.objects) {
      const digest = Buffer.from(object.digest, 'latin1');
      assert.deepEqual(database.blocks.findByDigest(digest), { objectId: id, lengthBytes: object.length });
      assert.ok(database.blocks.hasObject(id as ObjectId));
    }
    const inodes = [...model.inodes.values()];
    const objects = [...model.objects.values()];
    const { databaseSizeBytes: _, ...totals } = database.totals();
    assert.deepEqual(totals, {
      entryCount: model.entries.size + 1,
      inodeCount: inodes.length + 3,
      objectCount: objects.length,
      totalSizeBytes: inodes.reduce((sum, inode) => sum + inode.size, 0n),
      deduplicatedSizeBytes: BigInt(objects.reduce((sum, object) => sum + object.length, 0)),
      storedSizeBytes: BigInt(objects.reduce((sum, object) => sum + Math.max(object.stored, 0), 0)),
    });
  }

  /** Commits, closes, and returns the rows of the file whose reference counts are wrong, and what SQLite's own check says. */
  finish(): unknown[] {
    this.run({ kind: 'reopen' });
    this.compare();
    this.database[Symbol.dispose]();
    using connection = new DatabaseSync(this.#path);
    return connection
      .prepare(
        `SELECT 'names' AS problem, id FROM names n WHERE refcount != (SELECT count(*) FROM contents WHERE name_id = n.id)
                                                                 + (SELECT count(*) FROM ext_attributes WHERE name_id = n.id)
         UNION ALL SELECT 'objects', id FROM objects o WHERE refcount != (SELECT count(*) FROM inode_blocks WHERE obj_id = o.id)
         UNION ALL SELECT integrity_check, 0 FROM pragma_integrity_check WHERE integrity_check != 'ok'`,
      )
      .all();
  }

  #compareDirectory(number: number): void {
    const { database, model } = this;
    const parent = (1_000_000 + number) as InodeId;
    const listed = database.entries.list(parent, 0, 100);
    const expected = [...model.entries].filter(([at]) => at.startsWith(`${number}/`));
    assert.deepEqual(sorted(listed.map(({ name, inode }) => [`${number}/${key(name).slice(1)}`, inode])), sorted(expected));
    for (const { name, inode } of listed) assert.equal(database.entries.lookup(parent, name), inode);
    assert.equal(database.entries.isEmpty(parent), expected.length === 0);
  }

  #compareXattrs(number: number): void {
    const { database, model } = this;
    const inode = number as InodeId;
    const listed = database.xattrs.names(inode).map(key);
    const values = listed.map((name) => [`${number}/${name}`, key(database.xattrs.get(inode, bytes(name)) as Uint8Array)] as const);
    assert.deepEqual(sorted(values), sorted([...model.xattrs].filter(([at]) => at.startsWith(`${number}/`))));
    if (listed.length > 0) assert.ok(database.xattrs.any());
  }

  #compareBlocks(number: number): void {
    const { database, model } = this;
    const inode = number as InodeId;
    const expected = sorted([...model.blocks].filter(([at]) => at.startsWith(`${number}/`))) as Array<[string, number]>;
    const listed = database.blocks.range(inode, 0, Number.POSITIVE_INFINITY, 100);
    assert.deepEqual(
      listed.map((row) => [`${number}/${row.block}`, row.objectId]),
      expected,
    );
    for (const { block, ...stored } of listed) assert.deepEqual(database.blocks.get(inode, block), stored);
    const lengths = expected.map(([, object]) => model.objects.get(object)?.length ?? 0);
    assert.deepEqual(database.blocks.usage(inode), {
      blockCount: expected.length,
      lengthBytes: BigInt(lengths.reduce((sum, length) => sum + length, 0)),
    });
  }
}

test('random operations, roll-backs and reopening give what plain maps give', () => {
  let run = 0;
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
      const file = join(directory, `model-${run++}.db`);
      createDatabase(file, { rootUid: 0, rootGid: 0, nowNs: 0n });
      const pair = new Pair(file);
      try {
        for (const next of operations) {
          pair.run(next);
          if (next.kind === 'atomic') pair.compare();
        }
        pair.compare();
        expect(pair.finish()).toEqual([]);
      } finally {
        pair.database[Symbol.dispose]();
      }
    }),
    { numRuns: 60 },
  );
});
