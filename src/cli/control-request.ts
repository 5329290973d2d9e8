/** What s3qlctrl is asked to do, checked before any mount is spoken to. */
import { UserError } from '../util/errors.ts';
import type { ControlFile } from './control-file.ts';
import { EXIT_ERROR, EXIT_INVALID_COMMAND_LINE } from './exit-codes.ts';
import type { MountEventsListener } from './mount-events.ts';
import { CONTROLLABLE_LOG_LEVELS } from './logging-value.ts';
import type { ControlAction } from './options/ctrl.ts';
import { InvalidValueError } from './options/option.ts';
import { kibibytes, rateSchedule } from './options/values.ts';

/** `listener`: the mount's socket, if it can be reached. */
export type ControlRequest = (control: ControlFile, listener?: MountEventsListener) => Promise<void>;

const MODULE_NAME = /^[A-Za-z0-9_./-]+$/;
const cacheSize = kibibytes(1);

/** @throws UserError (2) for values that the action does not take */
export function controlRequest(action: ControlAction, values: readonly string[]): ControlRequest {
  const [first, ...others] = values;
  switch (action) {
    case 'flushcache':
      requireNone(action, values);
      return (control) => control.flushCache();
    case 'dropcache':
      requireNone(action, values);
      return (control) => control.dropCache();
    case 'backup-metadata':
      requireNone(action, values);
      return backUpMetadata;
    case 'cachesize': {
      if (first === undefined) throw invalid('"cachesize" takes a number of KiB');
      requireNone(`${action} ${first}`, others);
      const sizeBytes = parsed(action, cacheSize, first);
      return (control) => control.setCacheSize(sizeBytes);
    }
    case 'upload-limit':
    case 'download-limit': {
      if (first === undefined) throw invalid(`"${action}" takes a rate, as in 2M`);
      requireNone(`${action} ${first}`, others);
      parsed(action, rateSchedule, first);
      return (control) => control.setBandwidthLimit(action, first);
    }
    case 'log':
      return logRequest(values);
    default:
      return action satisfies never;
  }
}

/** Waits for the end of the upload, where the mount can be heard; S3QL's only starts it. */
async function backUpMetadata(control: ControlFile, listener?: MountEventsListener): Promise<void> {
  if (listener === undefined) return control.backUpMetadata();
  await listener.request('backup-metadata').catch((error: unknown) => {
    throw new UserError(`the metadata could not be uploaded: ${(error as Error).message}`, EXIT_ERROR, { cause: error });
  });
}

function logRequest([first, ...modules]: readonly string[]): ControlRequest {
  const level = CONTROLLABLE_LOG_LEVELS.find((known) => known === first);
  if (level === undefined) throw invalid(`"log" takes one of ${CONTROLLABLE_LOG_LEVELS.join(', ')}`);
  if (level !== 'debug' && modules.length > 0) throw invalid('modules can only be named for "log debug"');
  const nonsense = modules.find((name) => !MODULE_NAME.test(name));
  if (nonsense !== undefined) throw invalid(`'${nonsense}' is no name of a module`);
  return (control) => control.setLogLevel(level, modules);
}

function parsed<T>(action: ControlAction, parse: (text: string) => T, text: string): T {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof InvalidValueError) throw invalid(`"${action}": ${error.message}`);
    throw error;
  }
}

function requireNone(what: string, values: readonly string[]): void {
  if (values.length > 0) throw invalid(`"${what}" takes nothing more, but got: ${values.join(', ')}`);
}

function invalid(message: string): UserError {
  return new UserError(message, EXIT_INVALID_COMMAND_LINE);
}
