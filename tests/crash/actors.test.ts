/** The actors on a plain directory: content when nothing is lost, not when something is. Without this a crash test proves nothing. */
import { appendFileSync, copyFileSync, mkdtempSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Random } from '../support/random.ts';
import type { Actor } from './actor.ts';
import { AppendLog } from './actors/append-log.ts';
import { AtomicReplace } from './actors/atomic-replace.ts';
import { AttributeVersions } from './actors/attribute-versions.ts';
import { Ledger } from './actors/ledger.ts';
import { OrderedFiles } from './actors/ordered-files.ts';
import { PageVersions } from './actors/page-versions.ts';

const SEED = 4711;
let directory: string;
const path = (name: string): string => join(directory, name);

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 's3ql-actors-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const ACTORS: ReadonlyArray<readonly [name: string, make: () => Actor]> = [
  ['append-log', () => new AppendLog(path('x'), false)],
  ['append-log with O_SYNC', () => new AppendLog(path('x'), true)],
  ['atomic-replace', () => new AtomicReplace(path('x'), true)],
  ['careless atomic-replace', () => new AtomicReplace(path('x'), false)],
  ['page-versions', () => new PageVersions(path('x'))],
  ['ordered-files', () => new OrderedFiles(path('x'))],
  ['attribute-versions', () => new AttributeVersions(path('x'))],
  ['ledger', () => new Ledger(path('x'), 'delete')],
  ['ledger with WAL', () => new Ledger(path('x'), 'wal')],
];

function work(actor: Actor, steps: number = 60): void {
  const random = new Random(SEED);
  for (let step = 0; step < steps; step += 1) actor.step(random);
  actor.close();
}

test.each(ACTORS)('%s is content when nothing is lost, again and again', (_, make) => {
  const actor = make();
  for (let round = 0; round < 4; round += 1) {
    work(actor);
    expect(actor.verify()).toEqual([]);
    actor.close();
  }
});

test.each([
  ['a log that is too short', () => new AppendLog(path('x'), true), () => truncateSync(path('x'), 100), /were promised/],
  ['a log with other bytes', () => new AppendLog(path('x'), false), () => appendFileSync(path('x'), 'rubbish'), /not what was written/],
  ['an empty replaced file', () => new AtomicReplace(path('x'), true), () => truncateSync(path('x'), 0), /no version/],
  ['a missing replaced file', () => new AtomicReplace(path('x'), true), () => unlinkSync(path('x')), /version 0 is there/],
  ['a page of zeros', () => new PageVersions(path('x')), () => writeFileSync(path('x'), Buffer.alloc(1280 * 512)), /none of the versions/],
  ['a file too many', () => new OrderedFiles(path('x')), () => writeFileSync(path('x/9999'), ''), /gap/],
  ['other attributes', () => new AttributeVersions(path('x')), () => writeFileSync(path('x'), ''), /is none of/],
  ['an older database', () => new Ledger(path('x'), 'delete'), () => copyFileSync(path('old'), path('x')), /were committed/],
] as ReadonlyArray<readonly [string, () => Actor, () => void, RegExp]>)('%s is noticed', (_, make, damage, message) => {
  new Ledger(path('old'), 'delete').verify();
  const actor = make();
  work(actor);
  damage();
  expect(actor.verify().join('\n')).toMatch(message);
  actor.close();
});
