/** A process that makes and mounts file systems as its parent says, over a store that can kill it or fail. */
import { openDecorated } from '../../../src/backends/decorated-backend.ts';
import type { StoreStateListener } from '../../../src/backends/decorators/retry.ts';
import { type Fault, FaultyBackend, type FaultPlan } from '../../../src/backends/decorators/faulty.ts';
import type { OperationName } from '../../../src/backends/decorators/intercepted-backend.ts';
import { openBackend } from '../../../src/backends/open-backend.ts';
import { AuthenticationError, NoSpaceError } from '../../../src/backends/errors.ts';
import { fsckSpec } from '../../../src/cli/options/fsck.ts';
import { mkfsSpec } from '../../../src/cli/options/mkfs.ts';
import { DEFAULT_COMPRESSION } from '../../../src/cli/options/mount.ts';
import { parseCommand } from '../../../src/cli/parse-command.ts';
import { parseMountOptions } from '../../../src/cli/parse-mount-options.ts';
import { storageSettings } from '../../../src/cli/storage-settings.ts';
import { checkFileSystem } from '../../../src/mount/check-file-system.ts';
import { makeFileSystem } from '../../../src/mount/make-file-system.ts';
import type { RunningMount } from '../../../src/mount/running-mount.ts';
import { startMount } from '../../../src/mount/start-mount.ts';
import { UserError } from '../../../src/util/errors.ts';
import type { Interaction } from '../../../src/util/interaction.ts';
import { addLogSink } from '../../../src/util/log.ts';
import { silentProgress } from '../../../src/util/progress.ts';
import { Random } from '../../support/random.ts';
import { type Death, KillingBackend } from './killing-backend.ts';

/** A fault as it can travel between processes. */
export type PlannedFault =
  | { readonly kind: 'fail' | 'lose-reply' | 'truncate' | 'corrupt' | 'no-space' | 'revoked' }
  | { readonly kind: 'hang'; readonly forMs: number };

export type MountCommand =
  | { readonly do: 'mkfs'; readonly argv: readonly string[]; readonly passphrase: string; readonly death?: Death }
  | { readonly do: 'mount'; readonly argv: readonly string[]; readonly passphrase: string; readonly death?: Death }
  | { readonly do: 'arm'; readonly death: Death }
  /** The n-th request from now goes wrong, or with `until` all up to that one. */
  | { readonly do: 'fail'; readonly request: number; readonly until?: number; readonly fault: PlannedFault }
  /** From now on every so many-th request on average goes wrong, in any way that a client can notice; 0: none. */
  | { readonly do: 'fail-randomly'; readonly seed: number; readonly interval: number }
  | { readonly do: 'count' }
  | { readonly do: 'unmount' }
  | { readonly do: 'check'; readonly argv: readonly string[]; readonly passphrase: string; readonly death?: Death };

export type MountAnswer =
  | { readonly log: string }
  | {
      readonly done: MountCommand['do'];
      readonly exitCode: number;
      readonly message?: string;
      readonly requestCount: number;
      readonly listCount: number;
      readonly requestsSeen: number;
      readonly faultCount: number;
    }
  /** The mount ended without being told. */
  | { readonly ended: number };

const ANY_FAULTS: readonly PlannedFault[] = [{ kind: 'fail' }, { kind: 'lose-reply' }, { kind: 'hang', forMs: 100 }];
/** Only answers: a store that damages what it is given and reports success cannot be found out then. */
const ANSWER_FAULTS: readonly PlannedFault[] = [{ kind: 'truncate' }, { kind: 'corrupt' }];

let killing: KillingBackend | undefined;
let mount: RunningMount | undefined;
/** Listings since the store was opened. */
let listCount = 0;
/** Requests of all stores that were opened. */
let requestsSeen = 0;
let faultCount = 0;
let faultAt: (request: number, name: OperationName) => PlannedFault | undefined = () => undefined;
const plan: FaultPlan = ({ name }) => {
  if (name === 'list') listCount += 1;
  requestsSeen += 1;
  const fault = faultAt(requestsSeen, name);
  if (fault !== undefined) faultCount += 1;
  return fault && injected(fault);
};

const tell = (answer: MountAnswer): void => void process.send?.(answer);

addLogSink({
  write: ({ level, message, errorText }) => tell({ log: `${level}: ${message}${errorText === undefined ? '' : `\n${errorText}`}` }),
});

async function obey(command: MountCommand): Promise<number> {
  switch (command.do) {
    case 'mkfs': {
      const options = parseCommand(mkfsSpec, command.argv);
      const storage = await storageSettings(options, { ask: noAnswer });
      await makeFileSystem({ ...options, storage }, interaction(command.passphrase), (spec, onState) =>
        connectTo(spec, command.death, onState),
      );
      return 0;
    }
    case 'mount': {
      const options = parseMountOptions(command.argv);
      const storage = await storageSettings(options, { ask: noAnswer });
      const request = { ...options, storage, compress: options.compress ?? DEFAULT_COMPRESSION, eventsPath: '' };
      mount = await startMount(request, interaction(command.passphrase), (spec, onState) => connectTo(spec, command.death, onState));
      return 0;
    }
    case 'arm':
      killing?.arm(command.death);
      return 0;
    case 'fail': {
      const first = requestsSeen + command.request;
      const last = first + (command.until ?? command.request) - command.request;
      faultAt = (request) => (request >= first && request <= last ? command.fault : undefined);
      return 0;
    }
    case 'fail-randomly': {
      const random = new Random(command.seed);
      faultAt = (_request, name) =>
        command.interval === 0 || random.below(command.interval) > 0
          ? undefined
          : random.pick(name === 'fetch' ? [...ANY_FAULTS, ...ANSWER_FAULTS] : ANY_FAULTS);
      return 0;
    }
    case 'count':
      return 0;
    case 'unmount': {
      const running = mount;
      if (running === undefined) throw new Error('nothing is mounted');
      await running.unmount();
      const { exitCode } = await running.ended;
      mount = undefined;
      return exitCode;
    }
    case 'check': {
      const options = parseCommand(fsckSpec, command.argv);
      const storage = await storageSettings(options, { ask: noAnswer });
      const request = { ...options, storage, compress: storage.compress ?? DEFAULT_COMPRESSION };
      const result = await checkFileSystem(request, { ...interaction(command.passphrase), ask: noAnswer }, (spec) =>
        connectTo(spec, command.death),
      );
      if (result.state === 'checked' && result.findingCount > 0) throw new Error(`found: ${JSON.stringify(result.counts)}`);
      return 0;
    }
    default:
      throw new Error('unknown command');
  }
}

function injected(fault: PlannedFault): Fault {
  switch (fault.kind) {
    case 'hang':
      return { kind: 'hang', until: new Promise((resolve) => setTimeout(resolve, fault.forMs)) };
    case 'revoked':
      return { kind: 'fail', error: new AuthenticationError('the credentials have been revoked') };
    case 'no-space':
      return { kind: 'fail', error: new NoSpaceError('the store is full') };
    default:
      return { kind: fault.kind };
  }
}

function connectTo(
  spec: Parameters<typeof openDecorated>[0],
  death?: Death,
  onState: StoreStateListener = () => {},
): ReturnType<typeof openDecorated> {
  return openDecorated(spec, {
    async open(opened) {
      listCount = 0;
      killing = new KillingBackend(new FaultyBackend(await openBackend(opened), plan), death);
      return killing;
    },
    onState,
  });
}

function interaction(passphrase: string): Interaction {
  return { progress: silentProgress, signal: new AbortController().signal, askSecret: () => Promise.resolve(passphrase) };
}

function noAnswer(): Promise<string> {
  return Promise.reject(new Error('nobody is there to ask'));
}

process.on('message', (command: MountCommand) => {
  obey(command)
    .then((exitCode) => ({ exitCode }))
    .catch((error: unknown) => ({
      exitCode: error instanceof UserError ? error.exitCode : 1,
      message: error instanceof Error ? (error instanceof UserError ? error.message : (error.stack ?? error.message)) : String(error),
    }))
    .then((outcome) =>
      tell({ done: command.do, requestCount: killing?.requestCount ?? 0, listCount, requestsSeen, faultCount, ...outcome }),
    )
    .catch(() => process.exit(70));
});
