import { expect, test } from 'vitest';
import type { InodeId } from '../metadata/types.ts';
import { InodeLifetime } from './inode-lifetime.ts';

const FILE = 7 as InodeId;

function lifetime(): { life: InodeLifetime; purged: InodeId[] } {
  const purged: InodeId[] = [];
  return { life: new InodeLifetime((id) => purged.push(id)), purged };
}

test('an inode that the kernel never heard of is purged with its last entry', () => {
  const { life, purged } = lifetime();
  life.orphaned(FILE);
  expect(purged).toEqual([FILE]);
});

test('an inode that is open lives until the kernel forgets all its look-ups', () => {
  const { life, purged } = lifetime();
  life.addLookup(FILE);
  life.addLookup(FILE);
  life.orphaned(FILE);
  life.forget(FILE, 1);
  expect(purged).toEqual([]);
  life.forget(FILE, 1);
  expect(purged).toEqual([FILE]);
});

test('forgetting an inode that has an entry purges nothing', () => {
  const { life, purged } = lifetime();
  life.addLookup(FILE);
  life.forget(FILE, 1);
  expect(purged).toEqual([]);
});

test('an orphan that got a name again is kept', () => {
  const { life, purged } = lifetime();
  life.addLookup(FILE);
  life.orphaned(FILE);
  life.adopted(FILE);
  life.forget(FILE, 1);
  expect(purged).toEqual([]);
});

test('when the kernel is gone all orphans are purged', () => {
  const { life, purged } = lifetime();
  life.addLookup(FILE);
  life.orphaned(FILE);
  life.addLookup(8 as InodeId);
  life.forgetAll();
  expect(purged).toEqual([FILE]);
});
