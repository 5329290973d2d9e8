/**
 * Everything is killed at random moments: while a workload runs, metadata are uploaded, the file system is unmounted, recovered, checked or
 * made. After each crash the file system is mounted by the ordinary command, without a question; every promise is checked, and now and then
 * every invariant of the store.
 */
import { expect, test } from 'vitest';
import { LONG } from '../support/options.ts';
import { newSeed } from '../support/random.ts';
import { CrashRounds } from './crash-rounds.ts';

const ROUNDS = Number(process.env.S3QL_TEST_ROUNDS ?? (LONG ? 1000 : 50));
/** File systems that have their crashes at the same time: much of a round is waiting for processes to start. */
const LANES = Number(process.env.S3QL_TEST_LANES ?? 2);
const TIMEOUT_MS = ROUNDS * 30_000;

test(
  `${ROUNDS} crashes, S3QL_TEST_SEED: nothing that was promised is lost`,
  async () => {
    const firstSeed = newSeed();
    const failed = new AbortController();
    const lanes = Array.from({ length: LANES }, async (_, lane) => {
      const seed = firstSeed + lane;
      await using crashes = await CrashRounds.begin(seed);
      try {
        for (let round = 1; round <= ROUNDS / LANES && !failed.signal.aborted; round += 1) {
          expect({ seed, round, problems: await crashes.round(round) }).toEqual({ seed, round, problems: [] });
        }
        expect(await crashes.brokenInvariants()).toEqual([]);
      } catch (error) {
        failed.abort();
        throw error;
      }
    });
    const outcomes = await Promise.allSettled(lanes);
    expect(outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))).toEqual([]);
  },
  TIMEOUT_MS,
);
