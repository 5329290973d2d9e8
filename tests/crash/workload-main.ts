/**
 * The workload of the crash test: actors that work in turn until the file system dies under them or they are told to stop. Their memory of
 * what was promised lives on in this process, outside of the file system, from one crash to the next.
 */
import { once } from 'node:events';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Random } from '../support/random.ts';
import type { Actor } from './actor.ts';
import { AppendLog } from './actors/append-log.ts';
import { AtomicReplace } from './actors/atomic-replace.ts';
import { AttributeVersions } from './actors/attribute-versions.ts';
import { Ledger } from './actors/ledger.ts';
import { OrderedFiles } from './actors/ordered-files.ts';
import { PageVersions } from './actors/page-versions.ts';

export interface WorkloadOptions {
  readonly directory: string;
  readonly seed: number;
  /** After a power cut what was not synced may be zeros. */
  readonly mayHaveZeros: boolean;
}

export type WorkloadRequest = { readonly begin: WorkloadOptions } | 'work' | 'stop' | 'verify';
export type WorkloadReply =
  /** Why it stopped working, and after how many steps. */
  { readonly stopped: string; readonly steps: number } | { readonly problems: readonly string[] };

let actors: readonly Actor[] = [];
let random = new Random(0);
let stop = new AbortController();

function begin({ directory, seed, mayHaveZeros }: WorkloadOptions): void {
  random = new Random(seed);
  actors = [
    new AppendLog(join(directory, 'log'), false, mayHaveZeros),
    new AppendLog(join(directory, 'log-synchronous'), true, mayHaveZeros),
    new AtomicReplace(join(directory, 'replaced'), true),
    new AtomicReplace(join(directory, 'replaced-carelessly'), false),
    new PageVersions(join(directory, 'pages')),
    new OrderedFiles(join(directory, 'ordered'), mayHaveZeros),
    new AttributeVersions(join(directory, 'attributes')),
    new Ledger(join(directory, 'ledger.db'), 'delete'),
    new Ledger(join(directory, 'ledger-wal.db'), 'wal'),
  ];
}

async function work(): Promise<WorkloadReply> {
  stop = new AbortController();
  let steps = 0;
  let stopped = 'told to';
  while (!stop.signal.aborted) {
    const actor = random.pick(actors);
    try {
      actor.step(random);
      steps += 1;
    } catch (error) {
      stopped = `${actor.name}: ${error instanceof Error ? error.message : String(error)}`;
      break;
    }
    await nextTurn();
  }
  for (const actor of actors) actor.close();
  return { stopped, steps };
}

function verify(): WorkloadReply {
  const problems = actors.flatMap((actor) => {
    try {
      return actor.verify().map((problem) => `${actor.name}: ${problem}`);
    } catch (error) {
      return [`${actor.name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`];
    }
  });
  for (const actor of actors) actor.close();
  return { problems };
}

async function handle(request: WorkloadRequest): Promise<void> {
  if (request === 'stop') stop.abort();
  else if (request === 'work') process.send?.(await work());
  else if (request === 'verify') process.send?.(verify());
  else begin(request.begin);
}

process.on('message', (request: WorkloadRequest) => void handle(request));
await once(process, 'disconnect');
