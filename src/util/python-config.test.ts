import { expect, test } from 'vitest';
import { ConfigSyntaxError, parsePythonConfig } from './python-config.ts';

const parsed = (...lines: string[]): Record<string, Record<string, string>> =>
  Object.fromEntries([...parsePythonConfig(lines.join('\n'))].map(([name, section]) => [name, Object.fromEntries(section)]));

test('keys and values may be parted by a colon or an equals sign, the first of them counts', () => {
  expect(parsed('[s]', 'a: 1', 'b=2', 'c : x=y:z', 'd=x:y', 'e:')).toEqual({ s: { a: '1', b: '2', c: 'x=y:z', d: 'x:y', e: '' } });
});

test('keys have no case, section names do', () => {
  expect(parsed('[S]', 'Key: Value', '[s]', 'KEY: Other')).toEqual({ S: { key: 'Value' }, s: { key: 'Other' } });
});

test('comments are whole lines, so values may hold # and ;', () => {
  expect(parsed('# comment', '; comment', '[s]', '  # indented', 'a: x # y ; z', ';a: no')).toEqual({ s: { a: 'x # y ; z' } });
});

test('a value goes on in indented lines, over empty lines and comments', () => {
  expect(parsed('[s]', 'a: 1', '  2', '# comment', '', '  3', 'b: 4')).toEqual({ s: { a: '1\n2\n\n3', b: '4' } });
});

test('a key may be indented; what is indented deeper belongs to its value', () => {
  expect(parsed('[s]', '  a: 1', '    b: 2', '  c: 3')).toEqual({ s: { a: '1\nb: 2', c: '3' } });
});

test('section names may hold dots, colons, slashes and brackets', () => {
  expect(Object.keys(parsed('[s3://eu.west/x]', '[a]b]', '[c] trailing'))).toEqual(['s3://eu.west/x', 'a]b', 'c']);
});

test('DEFAULT is merged into every section and none of its own', () => {
  expect(parsed('[DEFAULT]', 'a: 1', 'b: 1', '[s]', 'b: 2', '[t]')).toEqual({ s: { a: '1', b: '2' }, t: { a: '1', b: '1' } });
});

test('%% is a percent sign, %(key)s another value', () => {
  expect(parsed('[s]', 'a: 100%%', 'B: x', 'c: <%(b)s> %(a)s')).toEqual({ s: { a: '100%', b: 'x', c: '<x> 100%' } });
});

test('any end of line will do', () => {
  expect(Object.fromEntries(parsePythonConfig('[s]\r\na: 1\r\nb: 2\rc: 3').get('s') ?? [])).toEqual({ a: '1', b: '2', c: '3' });
});

test('a key called __proto__ is one like any other', () => {
  expect([...(parsePythonConfig('[s]\n__proto__: x').get('s') ?? [])]).toEqual([['__proto__', 'x']]);
});

test.for([
  ['a key before any section', 'a: 1'],
  ['a line that is nothing', '[s]\nnonsense'],
  ['a section twice', '[s]\n[s]'],
  ['a key twice', '[s]\na: 1\nA: 2'],
  ['a value without a key', '[s]\n: 1'],
  ['a lone percent sign', '[s]\na: 50%'],
  ['an open reference', '[s]\na: %(b'],
  ['a reference to nothing', '[s]\na: %(b)s'],
  ['references in a circle', '[s]\na: %(b)s\nb: %(a)s'],
  [
    'references that explode',
    `[s]\nv0: ${'x'.repeat(1000)}\n${Array.from({ length: 9 }, (_, i) => `v${i + 1}: ${`%(v${i})s`.repeat(10)}`).join('\n')}`,
  ],
])('%s is refused', ([, text = '']) => {
  expect(() => parsePythonConfig(text)).toThrow(ConfigSyntaxError);
});

test('messages name the place but never the line’s text', () => {
  expect(() => parsePythonConfig('[s]\na: 1\nhalf-a-secret')).toThrow(/^line 3: (?!.*secret)/);
});
