/**
 * One request of a whole life of a file system goes wrong, whichever it is: from mkfs over work, uploads and unmounting to another machine's
 * mount and fsck. Nobody notices. Once in front of a local store, once in an HTTP server that speaks S3.
 */
import { expect, test } from 'vitest';
import { brokenInvariants } from '../support/invariants.ts';
import { LONG } from '../support/options.ts';
import type { Fault } from '../support/servers/loopback-server.ts';
import { errorAnswer, S3Server } from '../support/servers/s3-server.ts';
import type { PlannedFault } from './support/mount-main.ts';
import { type MountProcess, TestFileSystem } from './support/mount-process.ts';
import { authinfoOf, copyToDirectory } from './support/s3-to-directory.ts';
import { wholeLife } from './support/whole-life.ts';

const TIMEOUT_MS = LONG ? 3_600_000 : 600_000;
/** Every so many requests, others for each kind of fault; in the long form so many times, which is each of them, evenly spread at any time. */
const STEP = 25;
const PASSES = LONG ? STEP : 1;
/** From pass to pass the first request moves by that much, in a circle: prime to the step, so that it comes to each. */
const STRIDE = 11;
/** Encrypted: what the store says wrongly must be found out. */
const MKFS_OPTIONS = ['--data-block-size', '64', '--metadata-block-size', '16'];
const LEAST_REQUESTS = 20;

interface FaultyStore {
  readonly fileSystem: TestFileSystem;
  /** Makes the n-th request from now go wrong. */
  readonly fail: (machine: MountProcess, request: number) => Promise<unknown>;
  /** Requests since then that could have. */
  readonly requestCount: (machine: MountProcess) => Promise<number>;
  /** What is wrong with what is in the store. */
  readonly broken: () => Promise<string[]>;
  /** Empties the store. */
  readonly clear: () => Promise<void>;
}

/** Lives once for each request. Returns what went wrong. */
async function livesWithEach(kind: number, { fileSystem, fail, requestCount, broken, clear }: FaultyStore): Promise<string[]> {
  const problems: string[] = [];
  let count = Infinity;
  let lives = 0;
  let machine = fileSystem.start();
  for (let pass = 0; pass < PASSES; pass += 1) {
    for (let request = 1 + ((kind * 7 + pass * STRIDE) % STEP); request <= count; request += STEP) {
      await fail(machine, request);
      const found = await wholeLife(fileSystem, machine);
      count = await requestCount(machine);
      if (found.length === 0) found.push(...(await broken()));
      if (found.length > 0) {
        problems.push(...[...found, ...machine.log].map((problem) => `request ${request}: ${problem}`));
        await machine.kill();
        machine = fileSystem.start();
      }
      machine.log.length = 0;
      lives += 1;
      await clear();
    }
    if (LONG) console.info(`kind ${kind}: ${lives} lives of ${count} requests, ${problems.length} problems`);
  }
  if (count < LEAST_REQUESTS) problems.push(`only ${count} requests`);
  return problems;
}

const DECORATED: readonly PlannedFault[] = [{ kind: 'fail' }, { kind: 'lose-reply' }, { kind: 'hang', forMs: 200 }];

test.each(DECORATED)(
  'a local store whose n-th request goes wrong ($kind) harms nobody, for every n',
  { timeout: TIMEOUT_MS },
  async (fault) => {
    await using fileSystem = await TestFileSystem.create(MKFS_OPTIONS);
    let before = 0;
    const problems = await livesWithEach(DECORATED.indexOf(fault), {
      fileSystem,
      fail: async (machine, request) => {
        before = (await machine.fail(request, fault)).requestsSeen;
      },
      requestCount: async (machine) => (await machine.count()).requestsSeen - before,
      broken: () =>
        brokenInvariants({ storeDirectory: fileSystem.storeDirectory, passphrase: fileSystem.passphrase ?? '', allowUnknownObjects: true }),
      clear: () => fileSystem.clear(),
    });
    expect(problems).toEqual([]);
  },
);

const error = (status: number, code: string, headers: Readonly<Record<string, string>> = {}): Fault => {
  const answer = errorAnswer(status, code, 'something happened');
  return { kind: 'answer', answer: { ...answer, headers: { ...answer.headers, ...headers } } };
};

/** All kinds of requests, or those whose answer is an object. */
const [ANY, READ] = [/./, /^GET [^?]*$/];
const OVER_HTTP: ReadonlyArray<readonly [name: string, on: RegExp, fault: Fault]> = [
  ['its connection is reset', ANY, { kind: 'reset' }],
  ['it is done, but the answer is lost', ANY, { kind: 'lose-answer' }],
  ['it is answered with 500', ANY, error(500, 'InternalError')],
  ['it is answered with 503 and Retry-After', ANY, error(503, 'SlowDown', { 'retry-after': '1' })],
  ['it is answered with 429', ANY, error(429, 'TooManyRequests')],
  ['it is not answered at all', ANY, { kind: 'hang' }],
  ['its answer stops in the middle', READ, { kind: 'stall' }],
  ['its answer is cut off', READ, { kind: 'truncate' }],
  ['its answer has wrong bytes', READ, { kind: 'corrupt' }],
];

test.each(OVER_HTTP)(
  'an HTTP store harms nobody when the n-th request goes wrong (%s), for every n',
  { timeout: TIMEOUT_MS },
  async (name, on, fault) => {
    await using server = await S3Server.start();
    const url = `s3c4://${server.host}/bucket/`;
    await using fileSystem = await TestFileSystem.create(MKFS_OPTIONS, {
      url,
      authinfo: authinfoOf(url),
      backendOptions: 'no-ssl,tcp-timeout=0.7',
    });
    const problems = await livesWithEach(
      OVER_HTTP.findIndex((row) => row[0] === name),
      {
        fileSystem,
        fail: async (_machine, request) => {
          server.http.reset();
          server.http.plan({ on, fault, after: request - 1 });
        },
        requestCount: async () => server.http.requests.filter(({ method, target }) => on.test(`${method} ${target}`)).length,
        broken: async () => {
          await copyToDirectory(server, url, fileSystem.storeDirectory);
          const { storeDirectory, passphrase = '' } = fileSystem;
          return brokenInvariants({ storeDirectory, passphrase, allowUnknownObjects: true, otherSizes: true });
        },
        clear: async () => {
          server.clear();
          await fileSystem.clear();
        },
      },
    );
    expect(problems).toEqual([]);
  },
);
