/**
 * Reads a file system from a local:// directory as the format's description says and not as src/ does it, so that an error made twice there
 * shows here: file layout, encryption and signatures are done again. Only compression and the text of mappings come from src/.
 */
import { createDecipheriv, createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { CompressionAlgorithm } from '../../src/envelope/compression-spec.ts';
import { compressors } from '../../src/envelope/compressors/compressors.ts';
import { type BasicMapping, type BasicValue, parseBasicMapping } from '../../src/util/basic-mapping.ts';

const MAGIC = 's3ql_1\n';
const HEADER_BYTES = MAGIC.length + 2;
const LARGEST_OBJECT_BYTES = 256 << 20;
const HMAC_BYTES = 32;

export interface StoredObject {
  readonly bytes: Uint8Array;
  /** Size of the object's file. */
  readonly storedSizeBytes: number;
}

export class StoreReader {
  readonly #directory: string;
  readonly #masterKey: Uint8Array | undefined;

  private constructor(directory: string, masterKey: Uint8Array | undefined) {
    this.#directory = directory;
    this.#masterKey = masterKey;
  }

  /** `passphrase`: of an encrypted file system. */
  static async open(directory: string, passphrase: string | undefined): Promise<StoreReader> {
    if (passphrase === undefined) return new StoreReader(directory, undefined);
    const wrapped = await new StoreReader(directory, Buffer.from(passphrase)).read('s3ql_passphrase');
    return new StoreReader(directory, wrapped.bytes);
  }

  /** Keys of all objects. */
  async keys(): Promise<string[]> {
    const entries = await readdir(this.#directory, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile() && !entry.name.includes('#')).map(({ name }) => name);
  }

  /** Verifies, decrypts and decompresses. @throws if anything is not as the format wants it */
  async read(key: string): Promise<StoredObject> {
    const file = await readFile(join(this.#directory, pathOf(key)));
    if (file.toString('latin1', 0, MAGIC.length) !== MAGIC) throw new Error(`${key}: no magic`);
    const payloadAt = HEADER_BYTES + file.readUInt16LE(MAGIC.length);
    const metadata = parseBasicMapping(file.subarray(HEADER_BYTES, payloadAt));
    const payload = file.subarray(payloadAt);
    const packed = this.#masterKey === undefined ? expectPlain(key, metadata, payload) : decrypt(key, metadata, payload, this.#masterKey);
    const algorithm = (metadata.compression as string).toLowerCase() as CompressionAlgorithm;
    const bytes = compressors[algorithm].decompress(Uint8Array.from(packed), { maxSizeBytes: LARGEST_OBJECT_BYTES });
    return { bytes, storedSizeBytes: file.length };
  }

  async superblock(): Promise<BasicMapping> {
    return parseBasicMapping((await this.read('s3ql_params')).bytes);
  }

  /** Puts the database of the current generation together at `path` and opens it. @throws if its digest is not the superblock's */
  async openDatabase(path: string): Promise<DatabaseSync> {
    const { seq_no: current, db_size: size, metadata_block_size: pieceSize, db_md5: digest } = await this.superblock();
    const newest = new Map<number, number>();
    for (const key of await this.keys()) {
      const [, piece, seqNo] = /^s3ql_metadata_([0-9a-f]{12})_([0-9a-f]{10})$/.exec(key) ?? [];
      if (piece === undefined || seqNo === undefined) continue;
      const number = Number.parseInt(piece, 16);
      const seq = Number.parseInt(seqNo, 16);
      if (seq <= Number(current)) newest.set(number, Math.max(seq, newest.get(number) ?? 0));
    }
    const pieces: Uint8Array[] = [];
    for (let piece = 0; piece * Number(pieceSize) < Number(size); piece += 1) {
      const seqNo = newest.get(piece) ?? 0;
      pieces.push((await this.read(`s3ql_metadata_${hex(piece, 12)}_${hex(seqNo, 10)}`)).bytes);
    }
    const database = Buffer.concat(pieces).subarray(0, Number(size));
    if (createHash('sha256').update(database).digest('hex') !== digest)
      throw new Error('the database does not have the digest of the superblock');
    await writeFile(path, database);
    return new DatabaseSync(path, { readBigInts: true });
  }
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

function pathOf(key: string): string {
  const id = /^s3ql_data_(\d+)$/.exec(key)?.[1];
  if (id === undefined) return key;
  const levels = Array.from({ length: Math.ceil(id.length / 3) - 1 }, (_, index) => id.slice(0, (index + 1) * 3));
  return join('s3ql_data_', ...levels, key);
}

function expectPlain(key: string, metadata: BasicMapping, payload: Buffer): Buffer {
  if (metadata.format_version !== 2 || metadata.encryption !== 'None') throw new Error(`${key}: not a plain object`);
  return payload;
}

/** AES-256-CTR from a zero counter; frames of length and bytes; at the end a zero length and an HMAC of all before it. */
function decrypt(key: string, metadata: BasicMapping, payload: Buffer, masterKey: Uint8Array): Buffer {
  if (metadata.format_version !== 2 || metadata.encryption !== 'AES_v2' || metadata.object_id !== key)
    throw new Error(`${key}: not its object`);
  const nonce = metadata.nonce as Uint8Array;
  const metadataKey = sha256(masterKey, nonce, Buffer.from('meta'));
  const signed = createHmac('sha256', metadataKey);
  for (const name of Object.keys(metadata).sort()) {
    if (name === 'signature') continue;
    signed.update(name).update(checksumForm(metadata[name] as BasicValue));
  }
  if (!timingSafeEqual(signed.digest(), metadata.signature as Uint8Array)) throw new Error(`${key}: wrong signature`);

  const dataKey = sha256(masterKey, nonce);
  const plain = createDecipheriv('aes-256-ctr', dataKey, Buffer.alloc(16)).update(payload);
  const frames: Buffer[] = [];
  let at = 0;
  for (let length = plain.readUInt32LE(0); length !== 0; length = plain.readUInt32LE(at)) {
    frames.push(plain.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  const expected = createHmac('sha256', dataKey)
    .update(plain.subarray(0, at + 4))
    .digest();
  if (plain.length !== at + 4 + HMAC_BYTES || !timingSafeEqual(plain.subarray(at + 4), expected)) throw new Error(`${key}: wrong HMAC`);
  return Buffer.concat(frames);
}

function sha256(...parts: readonly Uint8Array[]): Buffer {
  return createHash('sha256').update(Buffer.concat(parts)).digest();
}

/** A value of a mapping as signatures see it (only the types that occur there). */
function checksumForm(value: BasicValue): Buffer {
  if (typeof value === 'string') return Buffer.from(`\0s${value}\0`);
  if (typeof value === 'number') return Buffer.from(`\0i${value}\0`);
  if (!(value instanceof Uint8Array)) throw new Error(`a ${typeof value} where none should be`);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(value.length, 0);
  return Buffer.concat([Buffer.from('\0b'), length, value]);
}
