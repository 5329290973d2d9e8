/** mount.s3ql: what it does before and around the mount itself. */
import { realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CompressionSpec } from '../envelope/compression-spec.ts';
import type { RunningMount } from '../mount/running-mount.ts';
import { UserError } from '../util/errors.ts';
import type { Interaction } from '../util/interaction.ts';
import { logger } from '../util/log.ts';
import { EXIT_NO_MOUNTPOINT, EXIT_OK } from './exit-codes.ts';
import { DEFAULT_COMPRESSION, mountSpec, type MountOptions } from './options/mount.ts';
import type { LogTarget } from './options/values.ts';
import { newEventsPath } from './mount-events.ts';
import { openLog, openOutput, type Output } from './output.ts';
import { parseMountOptions } from './parse-mount-options.ts';
import { reportProgress } from './progress.ts';
import { SystemdNotifier } from './sd-notify.ts';
import { SecretReader } from './secret-reader.ts';
import { serveDaemon } from './serve-daemon.ts';
import { serveMount } from './serve-mount.ts';
import { startDaemon } from './start-daemon.ts';
import { removeDeadMounts } from './unmount.ts';
import { ensureCachedir, storageSettings, type StorageSettings } from './storage-settings.ts';

const log = logger('mount');

/** Everything a mount is made from. Plain data: it travels to the daemon. */
export interface MountRequest extends MountOptions {
  readonly compress: CompressionSpec;
  readonly storage: StorageSettings;
  /** Path of the socket on which the mount and tools speak to each other; the control file tells it to them. */
  readonly eventsPath: string;
}

export type StartMount = (request: MountRequest, interaction: Interaction) => Promise<RunningMount>;

export interface MountParts {
  readonly startMount: StartMount;
  /** The module that calls runMountDaemon. */
  readonly daemonModulePath: string;
}

/** The command. Returns its exit code. */
export async function runMount(argv: readonly string[], { startMount, daemonModulePath }: MountParts): Promise<number> {
  const options = parseMountOptions(argv);
  const debugModules = options.verbose ? [...options.debugModules, 'mount'] : options.debugModules;
  using output = openOutput({ ...options, debugModules, journal: options.systemd });
  const secrets = new SecretReader();
  const mountpoint = await prepareMountpoint(options.mountpoint);
  const storage = await storageSettings(options, secrets);
  const request: MountRequest = {
    ...options,
    debugModules,
    mountpoint,
    storage,
    eventsPath: newEventsPath(storage.cachedir),
    compress: options.compress ?? storage.compress ?? DEFAULT_COMPRESSION,
  };
  if (options.fake) return EXIT_OK;
  ensureCachedir(storage.cachedir);
  if (options.systemd || options.foreground) return await serveInForeground(request, startMount, output, secrets);
  return await startDaemon({
    modulePath: daemonModulePath,
    visibleArguments: [storage.backend.url, mountpoint],
    request,
    options: request,
    output,
    secrets,
    crashLogPath: crashLogPath(request),
  });
}

/** What the process in the background does, after runMount started it. */
export async function runMountDaemon(startMount: StartMount): Promise<never> {
  return serveDaemon<MountRequest>({
    program: mountSpec.program,
    start: startMount,
    logTarget: (request) => logTarget(request) ?? defaultLog(request),
    reportPath: crashLogPath,
    eventsPath: (request) => request.eventsPath,
  });
}

async function serveInForeground(request: MountRequest, startMount: StartMount, output: Output, secrets: SecretReader): Promise<number> {
  const target = logTarget(request);
  using _log = target === undefined ? undefined : await openLog(target, mountSpec.program);
  using notifier = new SystemdNotifier(request.systemd ? undefined : '');
  notifier.starting();
  return await serveMount({
    start: (interaction) => startMount(request, interaction),
    interaction: {
      progress: request.systemd ? reportProgress(notifier.display) : output.progress,
      askSecret: (question) => secrets.ask(question),
    },
    reportPath: crashLogPath(request),
    eventsPath: request.eventsPath,
    onReady({ mountpoint }) {
      log.info('Mounted on %s', mountpoint);
      notifier.ready(`Mounted on ${mountpoint}`);
    },
    onStopping: () => notifier.stopping('Storing what is not stored yet'),
  });
}

/** Where the log goes besides stderr. Under systemd, the journal has it. */
function logTarget(request: MountRequest): LogTarget | undefined {
  return request.log ?? (request.systemd ? undefined : defaultLog(request));
}

function defaultLog({ storage }: MountRequest): LogTarget {
  return { kind: 'file', path: join(storage.cachedir, 'mount.log') };
}

function crashLogPath({ storage }: MountRequest): string {
  return join(storage.cachedir, 'mount.s3ql_crit.log');
}

/** The mountpoint's real path, free of a mount of ours whose process has died. @throws UserError (36) */
async function prepareMountpoint(path: string): Promise<string> {
  if (await removeDeadMounts(path)) log.info('Took away the mount at %s: the process that served it had died.', path);
  try {
    if ((await stat(path)).isDirectory()) return await realpath(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'does not exist' : `cannot be used: ${message}`;
    throw new UserError(`mountpoint ${path} ${reason}`, EXIT_NO_MOUNTPOINT, { cause: error });
  }
  throw new UserError(`mountpoint ${path} is not a directory`, EXIT_NO_MOUNTPOINT);
}
