/**
 * Which backups to keep so that in each range of ages there is always one, now and after any number of further backups. Ages are counted in
 * backups made since (cycles), not in days: whoever makes no backup for a month loses none.
 *
 * The future is played through: at each step a range is served by a backup that is kept anyway, else by the newest that is in the range,
 * which serves it longest; backups of the future serve as well, as soon as they are old enough. Leaving out a backup that was never needed
 * takes nothing from any step, so what was promised in one cycle still holds in the next.
 */

/**
 * Ages (0: the newest) that have to be kept. `boundaries` ascend: 1, 3, 7 are the ranges 0, 1 to 2, and 3 to 6. The newest is always kept.
 */
export function agesToKeep(ages: readonly number[], boundaries: readonly number[]): Set<number> {
  const available = [...ages].sort((one, other) => one - other);
  const ranges = boundaries.map((end, index) => ({ start: boundaries[index - 1] ?? 0, end }));
  // From then on backups that are still to be made serve every range.
  const lastStep = ranges.at(-1)?.start ?? 0;
  const [newest] = available;
  /** By their age of today: backups of the future have a negative one. */
  const kept = new Set<number>(newest === undefined ? [] : [newest]);
  for (let step = 0; step <= lastStep; step += 1) {
    for (const range of ranges) {
      const start = range.start - step;
      const end = range.end - step;
      if (kept.values().some((age) => age >= start && age < end)) continue;
      const choice = start < 0 ? start : available.find((age) => age >= start && age < end);
      if (choice !== undefined) kept.add(choice);
    }
    for (const age of kept) if (age < -step) kept.delete(age);
  }
  return new Set(available.filter((age) => kept.has(age)));
}
