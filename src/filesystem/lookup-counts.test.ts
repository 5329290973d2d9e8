import { expect, test } from 'vitest';
import { newSeed } from '../../tests/support/random.ts';
import { seededRandom } from '../util/seeded-random.ts';
import { LookupCounts } from './lookup-counts.ts';

test('it counts as a map does, whatever comes and goes', () => {
  const seed = newSeed();
  const random = seededRandom(seed);
  const counts = new LookupCounts();
  const model = new Map<number, number>();
  const wrong: number[] = [];
  for (let step = 0; step < 60_000; step++) {
    // Phases of growth and of shrinking; ids close to each other and far beyond 32 bits.
    const grows = Math.floor(step / 15_000) % 2 === 0;
    // A few are looked up again and again.
    const id = random() < 0.1 ? 1 + Math.floor(random() * 2) : 1 + Math.floor(random() * 8_000) + (random() < 0.1 ? 2 ** 40 : 0);
    if (random() < (grows ? 0.8 : 0.2)) {
      counts.increment(id);
      model.set(id, (model.get(id) ?? 0) + 1);
    } else {
      const taken = random() < 0.01 ? 100 : 1 + Math.floor(random() * 3);
      const before = model.get(id);
      const left = before === undefined ? undefined : Math.max(0, before - taken);
      if (counts.subtract(id, taken) !== left) wrong.push(step);
      if (left === 0) model.delete(id);
      else if (left !== undefined) model.set(id, left);
    }
  }
  expect(wrong, `seed ${seed}`).toEqual([]);
  expect(counts.size, `seed ${seed}`).toBe(model.size);
  for (const [id, count] of model) expect(counts.get(id), `seed ${seed}`).toBe(count);
});

test('it gives back the memory of what was forgotten', () => {
  const counts = new LookupCounts();
  const empty = counts.capacity;
  for (let id = 1; id <= 100_000; id++) counts.increment(id);
  expect(counts.capacity).toBeLessThanOrEqual(262_144);
  for (let id = 1; id <= 100_000; id++) counts.subtract(id, 1);
  expect([counts.size, counts.capacity]).toEqual([0, empty]);
});
