import { expect, test, vi } from 'vitest';
import { type ControlActions, ControlFile, type ControlStatistics } from './control-file.ts';

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

function controlFile(): { file: ControlFile; actions: ControlActions } {
  const actions = {
    flushCache: vi.fn(() => Promise.resolve()),
    dropCache: vi.fn(() => Promise.resolve()),
    backUpMetadata: vi.fn(),
    setCacheSize: vi.fn(() => Promise.resolve()),
    setLogLevel: vi.fn(),
    copyTree: vi.fn(() => Promise.resolve()),
    lockTree: vi.fn(() => Promise.resolve()),
    removeTree: vi.fn(() => Promise.resolve()),
    statistics: () => statistics,
  };
  return { file: new ControlFile(actions), actions };
}

test('the process id is decimal text', () => {
  expect(Buffer.from(controlFile().file.get(Buffer.from('s3ql_pid?'))).toString()).toBe(String(process.pid));
});

test('statistics are twelve 64-bit numbers; one that does not fit is the largest', () => {
  const value = Buffer.from(controlFile().file.get(Buffer.from('s3qlstat')));
  const figures = Array.from({ length: 12 }, (_, index) => value.readBigUInt64LE(index * 8));
  expect(figures).toEqual([1n, 2n, 3n, 2n ** 64n - 1n, 5n, 6n, 7n, 8n, 9n, 10n, 11n, 12n]);
});

test('an unknown attribute has no value, and setting it is refused', async () => {
  const { file } = controlFile();
  expect(() => file.get(Buffer.from('nope'))).toThrow(expect.objectContaining({ code: 'ENODATA' }));
  await expect(file.set(Buffer.from('nope'), Buffer.from('1'))).rejects.toMatchObject({ code: 'EINVAL' });
});

test('a tree copy takes a tuple of two inodes', async () => {
  const { file, actions } = controlFile();
  await file.set(Buffer.from('copy'), Buffer.from('(12, 345)'));
  expect(actions.copyTree).toHaveBeenCalledWith(12, 345);
});

test.each([
  [`(7, b'plain')`, Buffer.from('plain')],
  [`(7, b"it's")`, Buffer.from(`it's`)],
  [String.raw`(7, b'caf\xc3\xa9\n\\x')`, Buffer.from('café\n\\x')],
])('a tree removal takes a tuple of an inode and a bytes literal: %s', async (value, name) => {
  const { file, actions } = controlFile();
  await file.set(Buffer.from('rmtree'), Buffer.from(value));
  expect(actions.removeTree).toHaveBeenCalledWith(7, name);
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
  const { file, actions } = controlFile();
  await expect(file.set(Buffer.from(name), Buffer.from(value))).rejects.toMatchObject({ code: 'EINVAL' });
  for (const action of [actions.copyTree, actions.lockTree, actions.removeTree, actions.setCacheSize, actions.setLogLevel]) {
    expect(action).not.toHaveBeenCalled();
  }
});

test('the log level comes with modules or without', async () => {
  const { file, actions } = controlFile();
  await file.set(Buffer.from('logging'), Buffer.from(`(10, 'fuse,blocks')`));
  await file.set(Buffer.from('logging'), Buffer.from(`(20, None)`));
  expect(vi.mocked(actions.setLogLevel).mock.calls).toEqual([
    [10, ['fuse', 'blocks']],
    [20, []],
  ]);
});
