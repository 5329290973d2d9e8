import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { BasicMappingError, parseBasicMapping, writeBasicMapping } from './basic-mapping.ts';
import type { BasicMapping } from './basic-mapping.ts';
import { Float, pythonFloatRepr } from './python-float.ts';

const text = (mapping: BasicMapping): string => Buffer.from(writeBasicMapping(mapping)).toString();

test('a superblock is written as S3QL writes it', () => {
  const params = {
    data_block_size: 1048576,
    label: 'enclabel',
    needs_fsck: False(),
    last_fsck: new Float(1795360014.596993),
    nothing: null,
    data: new Uint8Array([0, 1, 2]),
  };
  expect(text(params)).toBe(
    "{ 'data_block_size': 1048576, 'label': 'enclabel', 'needs_fsck': False, 'last_fsck': 1795360014.596993, 'nothing': None, 'data': b'AAEC' }",
  );
  expect(parseBasicMapping(text(params))).toEqual(params);
});

/** A boolean that TypeScript does not narrow to a literal. */
function False(): boolean {
  return false;
}

test('an empty mapping has two spaces, and reads back with any white space', () => {
  expect(text({})).toBe('{  }');
  expect(parseBasicMapping('{}')).toEqual({});
  expect(parseBasicMapping(' {\n\t} \r\n')).toEqual({});
});

test('the reader takes any order of spaces, quotes and a trailing comma', () => {
  expect(parseBasicMapping(`{"a":1,'b' : "it's" ,}`)).toEqual({ a: 1, b: "it's" });
});

test('floats are printed as Python prints them', () => {
  const printed: [number, string][] = [
    [5, '5.0'],
    [-0, '-0.0'],
    [0, '0.0'],
    [0.1, '0.1'],
    [-1.5, '-1.5'],
    [1e15, '1000000000000000.0'],
    [2 ** 53, '9007199254740992.0'],
    [1e16, '1e+16'],
    [123456789012345680, '1.2345678901234568e+17'],
    [0.0001, '0.0001'],
    [0.00001234, '1.234e-05'],
    [1e-7, '1e-07'],
    [5e-324, '5e-324'],
    [1.7976931348623157e308, '1.7976931348623157e+308'],
    [1795360014.596993, '1795360014.596993'],
  ];
  for (const [value, repr] of printed) expect(pythonFloatRepr(value)).toBe(repr);
});

test('ints and floats stay what they are, large ints stay exact', () => {
  expect(parseBasicMapping("{ 'i': 5, 'f': 5.0, 'e': 1e16, 'h': .5, 't': 5., 'n': -7, 'b': 9223372036854775807 }")).toEqual({
    i: 5,
    f: new Float(5),
    e: new Float(1e16),
    h: new Float(0.5),
    t: new Float(5),
    n: -7,
    b: 9223372036854775807n,
  });
  expect(text({ b: 2n ** 64n })).toBe("{ 'b': 18446744073709551616 }");
});

test('strings are escaped as Python does it', () => {
  const written: [string, string][] = [
    ['plain', "'plain'"],
    ["it's", `"it's"`],
    [`both ' and "`, `'both \\' and "'`],
    ['back\\slash', "'back\\\\slash'"],
    ['\n\t\r\0\x7f', "'\\n\\t\\r\\x00\\x7f'"],
    ['é文', "'é文'"],
    ['\u00a0\u200b\u2028', "'\\xa0\\u200b\\u2028'"],
    ['\u{1f600}', "'\u{1f600}'"],
    ['\u{e0001}\ud800', "'\\U000e0001\\ud800'"],
  ];
  for (const [value, repr] of written) expect(text({ k: value })).toBe(`{ 'k': ${repr} }`);
});

test('all of Python’s escapes are read', () => {
  const parsed = parseBasicMapping(String.raw`{ 'k': '\a\b\f\v\'\"\101\0\x41\u0041\U0001F600' }`);
  expect(parsed).toEqual({ k: '\x07\b\f\v\'"A\0AA\u{1f600}' });
});

test('whatever is written reads back the same', () => {
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.maxSafeInteger(),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 100n }),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => new Float(number)),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array(),
  );
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: 'binary' }), value), (mapping) => {
      expect(parseBasicMapping(writeBasicMapping(mapping))).toEqual({ ...mapping });
    }),
  );
});

test.for([
  ['nothing', ''],
  ['no mapping', '[]'],
  ['an open mapping', "{ 'a': 1"],
  ['an open string', "{ 'a"],
  ['something behind the end', '{} x'],
  ['a missing comma', "{ 'a': 1 'b': 2 }"],
  ['two commas', "{ 'a': 1,, }"],
  ['a missing value', "{ 'a': }"],
  ['a key that is no string', '{ 1: 2 }'],
  ['a repeated key', "{ 'a': 1, 'a': 2 }"],
  ['a call', "{ 'a': exit() }"],
  ['a sum', "{ 'a': 1+1 }"],
  ['a nested mapping', "{ 'a': {} }"],
  ['joined strings', "{ 'a': 'b' 'c' }"],
  ['an int with a leading zero', "{ 'a': 01 }"],
  ['a hexadecimal int', "{ 'a': 0x1 }"],
  ['an int of a thousand digits', `{ 'a': ${'9'.repeat(1000)} }`],
  ['an infinite float', "{ 'a': 1e999 }"],
  ['a name', "{ 'a': inf }"],
  ['a word that begins like True', "{ 'a': Truely }"],
  ['an unknown escape', String.raw`{ 'a': '\q' }`],
  ['a named character', String.raw`{ 'a': '\N{DIGIT ONE}' }`],
  ['a character beyond Unicode', String.raw`{ 'a': '\U00110000' }`],
  ['a short escape', String.raw`{ 'a': '\x4' }`],
  ['bytes that are not base64', "{ 'a': b'!' }"],
  ['bytes without padding', "{ 'a': b'AA' }"],
  ['a line break in a string', "{ 'a': 'b\nc' }"],
  ['too many entries', `{ ${Array.from({ length: 10_001 }, (_, i) => `'${i}': 1`).join(', ')} }`],
  ['too much text', `{ 'a': '${'x'.repeat(5_000_000)}' }`],
])('the reader refuses %s', ([, hostile = '']) => {
  expect(() => parseBasicMapping(hostile)).toThrow(BasicMappingError);
  expect(() => parseBasicMapping(Buffer.from(hostile))).toThrow(BasicMappingError);
});

test('the reader refuses what is not UTF-8', () => {
  expect(() => parseBasicMapping(Buffer.from("{ 'a': '\xff' }", 'latin1'))).toThrow(BasicMappingError);
});

test('a key called __proto__ is a key like any other', () => {
  const parsed = parseBasicMapping("{ '__proto__': 1 }");
  expect(Object.entries(parsed)).toEqual([['__proto__', 1]]);
});

test('long strings neither overflow the stack nor take long', () => {
  const long = "\\'x\\\\".repeat(500_000);
  expect(parseBasicMapping(`{ 'a': '${long}' }`)['a']).toHaveLength(1_500_000);
  expect(() => parseBasicMapping(`{ 'a': '${long}`)).toThrow(BasicMappingError);
});

test('any text is either read or refused with a BasicMappingError', () => {
  const fragments = ['{', '}', "'", '"', 'b', '\\', ':', ',', ' ', '1', '.', 'e', '-', 'None', 'True', 'x41', 'é', "'a': ", '\n'];
  const outcome = (hostile: string): string => {
    try {
      parseBasicMapping(hostile);
      return 'read';
    } catch (error) {
      if (error instanceof BasicMappingError) return 'refused';
      throw error;
    }
  };
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...fragments)), (parts) => {
      expect(outcome(`{ ${parts.join('')}`)).toMatch(/read|refused/);
    }),
  );
});

test('what is no integer cannot be written as one', () => {
  expect(() => writeBasicMapping({ a: 1.5 })).toThrow(RangeError);
  expect(() => writeBasicMapping({ a: 2 ** 53 })).toThrow(RangeError);
  expect(() => writeBasicMapping({ a: new Float(Number.NaN) })).toThrow(RangeError);
});
