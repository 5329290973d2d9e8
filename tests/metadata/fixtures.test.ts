/** Metadata of file systems made by S3QL 6.3.0: restored, checked, changed, uploaded as further generations and restored again. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LocalBackend } from '../../src/backends/local/local-backend.ts';
import { masterKeyEnvelope, passphraseEnvelope, plainEnvelope } from '../../src/envelope/envelope.ts';
import { createDatabase } from '../../src/metadata/create-database.ts';
import { downloadGeneration } from '../../src/metadata/generation-download.ts';
import { GenerationCatalog } from '../../src/metadata/generation-retention.ts';
import { nextSeqNo, uploadGeneration } from '../../src/metadata/generation-upload.ts';
import { fetchSuperblock, listGenerations } from '../../src/metadata/generations.ts';
import type { LocalPaths } from '../../src/metadata/local-state.ts';
import { keepNewest } from '../../src/metadata/retention-policy.ts';
import { SnapshotWorker } from '../../src/metadata/snapshot.ts';
import { SqliteMetadata } from '../../src/metadata/sqlite-metadata.ts';
import { type InodeId, ROOT_INODE } from '../../src/metadata/types.ts';
import { SealedObjectStore } from '../../src/objects/sealed-object-store.ts';
import { FIXTURE_NAMES, FIXTURE_PASSPHRASE, type FixtureName, UnpackedFixture } from '../support/fixtures.ts';

interface ManifestEntry {
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
  readonly mtime_ns: string;
  readonly size?: number;
  readonly target?: string;
  readonly xattrs?: Readonly<Record<string, string>>;
}

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 's3ql-fixture-metadata-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function pathsOf(name: string): LocalPaths {
  const prefix = join(directory, name);
  return { databasePath: `${prefix}.db`, paramsPath: `${prefix}.params`, piecesPath: `${prefix}.pieces` };
}

async function openStore(name: FixtureName, fixture: UnpackedFixture): Promise<SealedObjectStore> {
  const open = (): Promise<LocalBackend> => LocalBackend.open(`local://${fixture.directory}/`, fixture.directory);
  if (name.startsWith('plain')) return new SealedObjectStore({ backend: await open(), envelope: plainEnvelope(), maxThreads: 1 });
  await using keys = new SealedObjectStore({ backend: await open(), envelope: passphraseEnvelope(FIXTURE_PASSPHRASE), maxThreads: 1 });
  const masterKey = await keys.get('s3ql_passphrase');
  return new SealedObjectStore({ backend: await open(), envelope: masterKeyEnvelope(masterKey), maxThreads: 1 });
}

/** Every table's columns, keys and indexes as SQLite understands them, whatever the text of the statements. */
function structureOf(path: string): unknown {
  using connection = new DatabaseSync(path);
  const rows = (sql: string): unknown[] => connection.prepare(sql).all();
  return {
    columns: rows(
      `SELECT m.type AS kind, m.name AS "table", c.* FROM sqlite_master m JOIN pragma_table_xinfo(m.name) c
       WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid`,
    ),
    indexes: rows(
      `SELECT m.name AS "table", i.name, i."unique", i.origin, i.partial, x.seqno, x.name AS "column"
       FROM sqlite_master m JOIN pragma_index_list(m.name) i JOIN pragma_index_info(i.name) x
       WHERE m.type = 'table' ORDER BY m.name, i.name, x.seqno`,
    ),
    references: rows(
      `SELECT m.name AS "from", f."table", f."from" AS "column", f."to" FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f
       WHERE m.type = 'table' ORDER BY m.name, f.id`,
    ),
    autoincrement: rows("SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%' ORDER BY name"),
    others: rows("SELECT type, name FROM sqlite_master WHERE type NOT IN ('table', 'view') AND name NOT LIKE 'sqlite_%'"),
    pageSize: rows('PRAGMA page_size'),
    encoding: rows('PRAGMA encoding'),
    journal: rows('PRAGMA journal_mode'),
    versions: [rows('PRAGMA user_version'), rows('PRAGMA auto_vacuum'), rows('PRAGMA application_id')],
  };
}

function checkOf(path: string): unknown[] {
  using connection = new DatabaseSync(path);
  return connection.prepare('PRAGMA integrity_check').all();
}

/** What the tables say of the file at a path, as the manifest would. */
function describe(database: SqliteMetadata, path: string): unknown {
  let inode: InodeId = ROOT_INODE;
  for (const part of path.split('/')) {
    const found = database.entries.lookup(inode, Buffer.from(part));
    if (found === undefined) return 'no entry';
    inode = found;
  }
  const target = database.symlinks.target(inode);
  const xattrs = database.xattrs.names(inode).map((name) => {
    const value = database.xattrs.get(inode, name) ?? new Uint8Array(0);
    return [Buffer.from(name).toString(), Buffer.from(value).toString('hex')];
  });
  return {
    ...database.inodes.get(inode),
    target: target && Buffer.from(target).toString(),
    xattrs: Object.fromEntries(xattrs) as Record<string, string>,
  };
}

test.for(FIXTURE_NAMES)('the metadata of %s is restored, continued and restored again', async (name) => {
  using fixture = new UnpackedFixture(name);
  await using store = await openStore(name, fixture);
  const superblock = await fetchSuperblock(store);
  expect(superblock).toMatchObject({ label: `golden-${name}`, isMounted: false, needsFsck: false, dataBlockSizeBytes: 131_072 });

  const paths = pathsOf('first');
  await downloadGeneration({ store, paths, superblock });
  expect(checkOf(paths.databasePath)).toEqual([{ integrity_check: 'ok' }]);
  const manifest = JSON.parse(readFileSync(new URL('../fixtures/s3ql-6.3/manifest.json', import.meta.url), 'utf8')) as Record<
    string,
    ManifestEntry
  >;

  let continued;
  {
    using database = new SqliteMetadata(paths.databasePath);
    await using worker = new SnapshotWorker(database);
    const before = database.totals();
    expect(before).toMatchObject({ entryCount: 82, inodeCount: 83, objectCount: 72 });
    const found = Object.entries(manifest).map(([path]) => [path, describe(database, path)]);
    expect(found.length).toBe(81);
    const expected = Object.entries(manifest).map(([path, { mode, uid, gid, mtime_ns: mtimeNs, size, target, xattrs }]) => [
      path,
      {
        mode: Number(mode),
        uid,
        gid,
        mtimeNs: BigInt(mtimeNs),
        ...(size === undefined ? {} : { size: BigInt(size) }),
        target,
        xattrs: xattrs ?? {},
      },
    ]);
    expect(found).toMatchObject(expected);
    database.entries.insert(ROOT_INODE, Buffer.from('new entry'), 4 as InodeId);
    database.commit();
    using snapshot = await worker.freeze(superblock.metadataBlockSizeBytes);
    continued = await uploadGeneration({
      store,
      paths,
      snapshot,
      superblock: { ...superblock, seqNo: await nextSeqNo(paths, superblock) },
      compression: { algorithm: 'zlib', level: 6 },
    });
  }
  expect(continued.superblock.seqNo).toBe(superblock.seqNo + 1);
  expect(await fetchSuperblock(store)).toEqual(continued.superblock);

  const again = pathsOf('second');
  await downloadGeneration({ store, paths: again, superblock: continued.superblock });
  expect(checkOf(again.databasePath)).toEqual([{ integrity_check: 'ok' }]);
  expect(readFileSync(again.databasePath).equals(readFileSync(paths.databasePath))).toBe(true);

  const generations = await listGenerations(store);
  expect(generations.map(({ seqNo }) => seqNo)).toEqual([superblock.seqNo + 1, superblock.seqNo, superblock.seqNo - 1]);
  await (await GenerationCatalog.load(store)).expire(keepNewest(2), Date.now());
  await downloadGeneration({ store, paths: pathsOf('third'), superblock });
  expect(checkOf(pathsOf('third').databasePath)).toEqual([{ integrity_check: 'ok' }]);
});

test("a new database has exactly S3QL's structure", async () => {
  using fixture = new UnpackedFixture('plain-none');
  await using store = await openStore('plain-none', fixture);
  const paths = pathsOf('s3ql');
  await downloadGeneration({ store, paths, superblock: await fetchSuperblock(store) });
  const ours = join(directory, 'ours.db');
  createDatabase(ours, { rootUid: 0, rootGid: 0, nowNs: 0n });
  expect(structureOf(ours)).toEqual(structureOf(paths.databasePath));
  const header = (path: string): number[] => [...readFileSync(path).subarray(16, 24)];
  expect(header(ours)).toEqual(header(paths.databasePath));
});
