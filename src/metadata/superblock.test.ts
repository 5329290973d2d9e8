import { expect, test } from 'vitest';
import { parseSuperblock, type Superblock, writeSuperblock } from './superblock.ts';

const TEXT =
  "{ 'data_block_size': 1048576, 'metadata_block_size': 65536, 'seq_no': 1795360014, 'db_size': 65536, 'revision': 26, " +
  "'label': 'enclabel', 'needs_fsck': False, 'is_mounted': True, 'inode_gen': 0, 'last_fsck': 1795360014.596993, " +
  "'last_modified': 1795360014.0, 'db_md5': '6811' }";

const SUPERBLOCK: Superblock = {
  dataBlockSizeBytes: 1_048_576,
  metadataBlockSizeBytes: 65_536,
  seqNo: 1_795_360_014,
  databaseSizeBytes: 65_536,
  revision: 26,
  label: 'enclabel',
  needsFsck: false,
  isMounted: true,
  inodeGeneration: 0,
  lastFsckSeconds: 1_795_360_014.596993,
  lastModifiedSeconds: 1_795_360_014,
  databaseDigestHex: '6811',
};

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const parse = (text: string): Superblock => parseSuperblock(bytes(text), 's3ql_params');

test("a superblock is written as S3QL's text, with its keys in order and floats as floats", () => {
  expect(new TextDecoder().decode(writeSuperblock(SUPERBLOCK))).toBe(TEXT);
});

test("S3QL's text is read", () => {
  expect(parse(TEXT)).toEqual(SUPERBLOCK);
});

test('what S3QL may leave out has its defaults', () => {
  const text = "{ 'data_block_size': 1024, 'metadata_block_size': 2048, 'seq_no': 3, 'db_size': 4, 'revision': 26 }";
  expect(parse(text)).toMatchObject({ label: '<unnamed>', needsFsck: false, isMounted: false, inodeGeneration: 0, databaseDigestHex: '' });
});

test.for([
  [25, 32, 'too old'],
  [27, 33, 'too new'],
] as const)('revision %i is refused with exit code %i', ([revision, exitCode, message]) => {
  expect(() => parse(`{ 'revision': ${revision} }`)).toThrow(
    expect.objectContaining({ exitCode, message: expect.stringContaining(message) }),
  );
});

test.for([
  ['no mapping', 'hello'],
  ['nothing', ''],
  ['a missing sequence number', TEXT.replace("'seq_no': 1795360014, ", '')],
  ['a negative size', TEXT.replace("'db_size': 65536", "'db_size': -1")],
  ['a block size of zero', TEXT.replace("'data_block_size': 1048576", "'data_block_size': 0")],
  ['an absurd database size', TEXT.replace("'db_size': 65536", "'db_size': 9007199254740991")],
  ['an absurd block size', TEXT.replace("'data_block_size': 1048576", "'data_block_size': 1099511627776")],
  ['text where a number belongs', TEXT.replace("'seq_no': 1795360014", "'seq_no': '1'")],
  ['a sequence number of more than ten digits', TEXT.replace("'seq_no': 1795360014", "'seq_no': 1099511627776")],
  ['a number where a truth value belongs', TEXT.replace("'is_mounted': True", "'is_mounted': 1")],
])('%s is refused with a line that names the object', ([, text]) => {
  expect(() => parse(text ?? '')).toThrow(expect.objectContaining({ exitCode: 1, message: expect.stringContaining('s3ql_params') }));
});
