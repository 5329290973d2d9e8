/** A daemon whose "mount" does what the test asks for. Tells the test by a socket what happens; the socket's end is the process's end. */
import { dirname } from 'node:path';
import { createConnection } from 'node:net';
import { readFileSync, readlinkSync } from 'node:fs';
import { once } from 'node:events';
import { newEventsPath } from '../../../src/cli/mount-events.ts';
import { serveDaemon } from '../../../src/cli/serve-daemon.ts';
import { UserError } from '../../../src/util/errors.ts';
import { logger } from '../../../src/util/log.ts';

export interface DaemonTestRequest {
  readonly behaviour: 'mount' | 'refuse' | 'bug' | 'die' | 'ask' | 'wait' | 'progress' | 'unlogged';
  readonly logPath: string;
  readonly eventsPath: string;
  readonly secret: string;
}

export type DaemonTestEvent =
  | {
      readonly event: 'started';
      readonly pid: number;
      readonly session: number;
      readonly directory: string;
      readonly stdio: readonly string[];
      readonly visible: string;
    }
  | { readonly event: 'answer'; readonly text: string }
  | { readonly event: 'given-up' }
  | { readonly event: 'unmounting' };

const log = logger('mount');

await serveDaemon<DaemonTestRequest>({
  program: 'test.s3ql',
  logTarget: ({ logPath }) => ({ kind: 'file', path: logPath }),
  reportPath: ({ logPath }) => `${logPath}.report`,
  eventsPath: ({ logPath }) => newEventsPath(dirname(logPath)),
  async start(request, { askSecret, progress, signal }) {
    const events = createConnection(request.eventsPath);
    await once(events, 'connect');
    const tell = (event: DaemonTestEvent): void => void events.write(`${JSON.stringify(event)}\n`);
    tell({
      event: 'started',
      pid: process.pid,
      session: Number(readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ')[3]),
      directory: process.cwd(),
      stdio: [0, 1, 2].map((fd) => readlinkSync(`/proc/self/fd/${fd}`)),
      visible: readFileSync('/proc/self/cmdline', 'latin1') + readFileSync('/proc/self/environ', 'latin1'),
    });
    log.info('Using %d threads', 3);
    log.debug('a detail');
    switch (request.behaviour) {
      case 'refuse':
        throw new UserError('there is no file system', 18);
      case 'bug':
        throw new TypeError('x is undefined');
      case 'die':
        process.kill(process.pid, 'SIGKILL');
        break;
      case 'ask':
        tell({ event: 'answer', text: await askSecret({ prompt: 'Passphrase' }) });
        break;
      case 'progress': {
        using step = progress.step('Downloading', 'pieces');
        step.update({ done: 1, total: 2 });
        // The test lets us go on when the starter has shown it.
        await once(events, 'data');
        break;
      }
      case 'wait':
        tell({ event: 'given-up' });
        if (!signal.aborted) await once(signal, 'abort');
        tell({ event: 'given-up' });
        throw new Error('whatever aborting leads to');
      case 'mount':
      case 'unlogged':
    }
    const ended = Promise.withResolvers<{ exitCode: number }>();
    return {
      mountpoint: '/test/mountpoint',
      ended: ended.promise,
      answer: () => Promise.resolve(),
      async unmount() {
        tell({ event: 'unmounting' });
        ended.resolve({ exitCode: 0 });
      },
    };
  },
});
