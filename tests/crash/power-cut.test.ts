/**
 * The power fails at random moments: everything dies, and of what the cache directory (segments, database, WAL) and the local store had not
 * synced a random part is lost or torn. The file system is mounted by the ordinary command; what was fsynced is there, the rest is as POSIX
 * allows.
 */
import { expect, test } from 'vitest';
import { LONG } from '../support/options.ts';
import { newSeed } from '../support/random.ts';
import { CrashRounds } from './crash-rounds.ts';
import { PowerCuts } from './power-cuts.ts';

const CUTS = Number(process.env.S3QL_TEST_ROUNDS ?? (LONG ? 500 : 20));
const TIMEOUT_MS = CUTS * 30_000;

test(
  `${CUTS} power cuts, S3QL_TEST_SEED: nothing that was promised is lost`,
  async () => {
    const seed = newSeed();
    await using cuts = await PowerCuts.create(seed);
    await using crashes = await CrashRounds.begin(seed, cuts);
    for (let round = 1; round <= CUTS; round += 1) {
      expect({ seed, round, problems: await crashes.round(round) }).toEqual({ seed, round, problems: [] });
    }
    expect(await crashes.brokenInvariants()).toEqual([]);
  },
  TIMEOUT_MS,
);
