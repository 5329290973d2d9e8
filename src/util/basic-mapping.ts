/**
 * The "basic mapping": a flat Python dict literal, S3QL's text for superblocks and object metadata (S3QL format 2.3).
 *
 * The reader takes what a stranger wrote: it never evaluates, does not nest or recurse, and limits what it accepts. bytes are written as
 * `b'...'` around base64, not around Python's escapes.
 */
import { Float, pythonFloatRepr } from './python-float.ts';
import { pythonStringRepr, unescapePythonString } from './python-string.ts';

/** int is a number, or a bigint beyond 2^53; float is a Float. */
export type BasicValue = string | number | bigint | Float | boolean | null | Uint8Array;
export type BasicMapping = Readonly<Record<string, BasicValue>>;

/** The text is not a basic mapping, or larger than the limits allow. */
export class BasicMappingError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'BasicMappingError';
  }
}

const MAX_TEXT_BYTES = 4 * 1024 * 1024;
const MAX_ENTRIES = 10_000;
/** Enough for any 128-bit int; longer ones only cost time. */
const MAX_INT_DIGITS = 40;

const SPACE = /[ \t\r\n\f]*/y;
const STRING = /'((?:[^'\\\n]|\\[^])*)'|"((?:[^"\\\n]|\\[^])*)"/y;
const NUMBER = /-?(?:(\d+\.\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)|0+|[1-9]\d*)(?![\w.])/y;
const WORD = /(?:True|False|None)(?!\w)/y;
const BYTES_PREFIX = /[bB](?=['"])/y;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** The mapping as UTF-8 text, entries in their own order. @throws RangeError for a number that is no safe integer, or a float without a value */
export function writeBasicMapping(mapping: BasicMapping): Uint8Array<ArrayBuffer> {
  const entries = Object.entries(mapping).map(([key, value]) => `${pythonStringRepr(key)}: ${basicValueRepr(value)}`);
  return new Uint8Array(Buffer.from(`{ ${entries.join(', ')} }`, 'utf8'));
}

/** One value as it stands in the text. */
export function basicValueRepr(value: BasicValue): string {
  if (value === null) return 'None';
  switch (typeof value) {
    case 'string':
      return pythonStringRepr(value);
    case 'boolean':
      return value ? 'True' : 'False';
    case 'bigint':
      return String(value);
    case 'number':
      if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is no integer: wrap floats in Float, large ints in BigInt`);
      return String(value === 0 ? 0 : value);
    default:
  }
  if (value instanceof Float) {
    if (!Number.isFinite(value.value)) throw new RangeError(`a basic mapping cannot hold ${value.value}`);
    return pythonFloatRepr(value.value);
  }
  return `b'${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')}'`;
}

/** Reads the text. Entries keep their order. @throws BasicMappingError */
export function parseBasicMapping(text: Uint8Array | string): BasicMapping {
  const size = typeof text === 'string' ? text.length : text.byteLength;
  if (size > MAX_TEXT_BYTES) throw new BasicMappingError(`${size} bytes are more than a mapping may have (${MAX_TEXT_BYTES})`);
  return new Parser(typeof text === 'string' ? text : decodeUtf8(text)).mapping();
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new BasicMappingError('the text is not UTF-8', { cause });
  }
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  mapping(): BasicMapping {
    const entries = new Map<string, BasicValue>();
    this.#expect('{');
    while (!this.#accept('}')) {
      const key = this.#string();
      if (key === undefined) throw this.#error('a quoted key');
      if (entries.has(key)) throw new BasicMappingError(`the key ${pythonStringRepr(key)} occurs twice`);
      if (entries.size === MAX_ENTRIES) throw new BasicMappingError(`more than ${MAX_ENTRIES} entries`);
      this.#expect(':');
      this.#match(SPACE);
      entries.set(key, this.#value());
      if (!this.#accept(',') && this.#text[this.#at] !== '}') throw this.#error('a comma or }');
    }
    if (this.#at !== this.#text.length) throw this.#error('the end');
    return Object.fromEntries(entries);
  }

  #value(): BasicValue {
    const number = this.#match(NUMBER);
    if (number !== undefined) return number[1] === undefined ? int(number[0]) : float(number[0]);
    const word = this.#match(WORD);
    if (word !== undefined) return word[0] === 'None' ? null : word[0] === 'True';
    if (this.#match(BYTES_PREFIX) !== undefined) return base64(this.#string() ?? '');
    const string = this.#string();
    if (string === undefined) throw this.#error('a value');
    return string;
  }

  #string(): string | undefined {
    const match = this.#match(STRING);
    if (match === undefined) return undefined;
    try {
      return unescapePythonString(match[1] ?? match[2] ?? '');
    } catch (cause) {
      throw new BasicMappingError(`bad string before position ${this.#at}: ${String(cause)}`, { cause });
    }
  }

  /** Skips spaces, the character, and spaces again. */
  #accept(char: string): boolean {
    this.#match(SPACE);
    if (this.#text[this.#at] !== char) return false;
    this.#at += 1;
    this.#match(SPACE);
    return true;
  }

  #expect(char: string): void {
    if (!this.#accept(char)) throw this.#error(char);
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at = pattern.lastIndex;
    return match;
  }

  #error(expected: string): BasicMappingError {
    return new BasicMappingError(`expected ${expected} at position ${this.#at}`);
  }
}

function int(digits: string): number | bigint {
  if (digits.length > MAX_INT_DIGITS) throw new BasicMappingError(`an int of ${digits.length} digits`);
  const value = Number(digits);
  return Number.isSafeInteger(value) ? value + 0 : BigInt(digits);
}

function float(digits: string): Float {
  const value = Number(digits);
  if (!Number.isFinite(value)) throw new BasicMappingError(`${digits} is too large for a float`);
  return new Float(value);
}

function base64(text: string): Uint8Array<ArrayBuffer> {
  if (!BASE64.test(text)) throw new BasicMappingError('bytes that are not base64');
  return new Uint8Array(Buffer.from(text, 'base64'));
}
