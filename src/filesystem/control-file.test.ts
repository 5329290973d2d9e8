import { expect, test } from 'vitest';
import { type ControlActions, ControlFile, type MountState, type ControlStatistics } from './control-file.ts';

const statistics: ControlStatistics = {
  entryCount: 1,
  objectCount: 2,
  inodeCount: 3,
  totalSizeBytes: 2n ** 70n,
  deduplicatedSizeBytes: 5n,
  storedSizeBytes: 6n,
  databaseSizeBytes: 7,
  cacheEntryCount: 8,
  cacheSizeBytes: 9,
  dirtyEntryCount: 10,
  dirtySizeBytes: 11,
  pendingRemovalCount: 12,
};

type Call = readonly unknown[];

const state: MountState = {
  store: { answers: true },
  generation: { seqNo: 7, completedAtMs: 1, changesSince: 2 },
  uploadingCount: 0,
};

/** A control file whose actions record that they were called, and with what. */
function controlFile(): { file: ControlFile; calls: Call[] } {
  const calls: Call[] = [];
  const record = (...call: Call): Promise<void> => {
    calls.push(call);
    return Promise.resolve();
  };
  const actions: ControlActions = {
    flushCache: () => record('flushCache'),
    dropCache: () => record('dropCache'),
    backUpMetadata: () => {
      calls.push(['backUpMetadata']);
    },
    setCacheSize: (sizeBytes) => record('setCacheSize', sizeBytes),
    setBandwidthLimit: (direction, rate) => {
      calls.push(['setBandwidthLimit', direction, rate]);
    },
    setLogLevel: (level, modules) => {
      calls.push(['setLogLevel', level, modules]);
    },
    copyTree: (source, target) => record('copyTree', source, target),
    lockTree: (inode) => record('lockTree', inode),
    removeTree: (parent, name) => record('removeTree', parent, name),
    statistics: () => statistics,
    storeMetrics: () => '{"retries":7}',
    state: () => state,
    eventsPath: () => 'socket-name',
  };
  return { file: new ControlFile(actions), calls };
}

test('the process id is decimal text', () => {
  expect(Buffer.from(controlFile().file.get(Buffer.from('s3ql_pid?'))).toString()).toBe(String(process.pid));
});

test('the name of the events socket is text', () => {
  expect(Buffer.from(controlFile().file.get(Buffer.from('s3ql_events?'))).toString()).toBe('socket-name');
});

test('what requests to the store have come to is JSON', () => {
  expect(Buffer.from(controlFile().file.get(Buffer.from('s3ql_store?'))).toString()).toBe('{"retries":7}');
});

test('statistics are twelve 64-bit numbers; one that does not fit is the largest', () => {
  expect(JSON.parse(Buffer.from(controlFile().file.get(Buffer.from('s3ql_state?'))).toString())).toEqual(state);
  const value = Buffer.from(controlFile().file.get(Buffer.from('s3qlstat')));
  const figures = Array.from({ length: 12 }, (_, index) => value.readBigUInt64LE(index * 8));
  expect(figures).toEqual([1n, 2n, 3n, 2n ** 64n - 1n, 5n, 6n, 7n, 8n, 9n, 10n, 11n, 12n]);
});

test('an unknown attribute has no value, and setting it is refused', async () => {
  const { file } = controlFile();
  expect(() => file.get(Buffer.from('nope'))).toThrow(expect.objectContaining({ code: 'ENODATA' }));
  await expect(file.set(Buffer.from('nope'), Buffer.from('1'))).rejects.toMatchObject({ code: 'EINVAL' });
});

test.each<[string, string, Call]>([
  ['s3ql_flushcache!', 'dummy', ['flushCache']],
  ['s3ql_dropcache!', 'dummy', ['dropCache']],
  ['upload-meta', 'dummy', ['backUpMetadata']],
  ['cachesize', '1048576', ['setCacheSize', 1048576]],
  ['upload-limit', '2M', ['setBandwidthLimit', 'upload', '2M']],
  ['download-limit', 'unlimited', ['setBandwidthLimit', 'download', 'unlimited']],
  ['lock', '77', ['lockTree', 77]],
  ['copy', '(12, 345)', ['copyTree', 12, 345]],
  ['logging', `(10, 'fuse,blocks')`, ['setLogLevel', 10, ['fuse', 'blocks']]],
  ['logging', '(20, None)', ['setLogLevel', 20, []]],
])('setting %s to %s does just that', async (name, value, call) => {
  const { file, calls } = controlFile();
  await file.set(Buffer.from(name), Buffer.from(value));
  expect(calls).toEqual([call]);
});

test.each([
  [`(7, b'plain')`, Buffer.from('plain')],
  [`(7, b"it's")`, Buffer.from(`it's`)],
  [String.raw`(7, b'caf\xc3\xa9\n\\x')`, Buffer.from('café\n\\x')],
])('a tree removal takes a tuple of an inode and a bytes literal: %s', async (value, name) => {
  const { file, calls } = controlFile();
  await file.set(Buffer.from('rmtree'), Buffer.from(value));
  expect(calls).toEqual([['removeTree', 7, name]]);
});

test.each([
  ['copy', '12, 345'],
  ['copy', '(12, -5)'],
  ['lock', 'x'],
  ['cachesize', '1e3'],
  ['cachesize', '99999999999999999999'],
  ['rmtree', `(7, b'it's')`],
  ['rmtree', String.raw`(7, b'\q')`],
  ['rmtree', `(7, 'text')`],
  ['logging', '10'],
])('a malformed value of %s is refused and does nothing: %s', async (name, value) => {
  const { file, calls } = controlFile();
  await expect(file.set(Buffer.from(name), Buffer.from(value))).rejects.toMatchObject({ code: 'EINVAL' });
  expect(calls).toEqual([]);
});
