import { expect, test } from 'vitest';
import { flattenedPath, freeName } from './entry-names.ts';
import type { Tree } from './tree.ts';

test('a path becomes one name that tells its parts apart', () => {
  expect(flattenedPath(Buffer.from('/a_b/c')).toString()).toBe('a__b_c');
  expect(flattenedPath(Buffer.from('a/b')).toString()).toBe('a_b');
});

function treeWith(...taken: string[]): Tree {
  const tree: Pick<Tree, 'lookup'> = {
    lookup: (_directory, name) => (taken.includes(Buffer.from(name).toString()) ? { row: 1n, parent: 1n, inode: 4n } : undefined),
  };
  return tree as Tree;
}

test('a name that is taken gets the next number', () => {
  expect(freeName(treeWith(), 1n, Buffer.from('f')).toString()).toBe('f');
  expect(freeName(treeWith('f', 'f-1'), 1n, Buffer.from('f')).toString()).toBe('f-2');
});

test('a long name keeps its begin and its end, and has room for a number', () => {
  const long = `${'a'.repeat(200)}${'z'.repeat(200)}`;
  const short = freeName(treeWith(), 1n, Buffer.from(long)).toString();
  expect(short).toBe(`${'a'.repeat(120)}...${'z'.repeat(120)}`);
  expect(freeName(treeWith(short), 1n, Buffer.from(long)).toString()).toBe(`${short}-1`);
  const edge = 'e'.repeat(251);
  const taken = [edge, ...Array.from({ length: 1000 }, (_, index) => `${edge}-${index}`)];
  expect(freeName(treeWith(...taken), 1n, Buffer.from(edge)).length).toBeLessThanOrEqual(255);
});
