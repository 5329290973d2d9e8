import { logger } from '../../util/log.ts';
import type { ListedObject, RequestOptions } from '../backend.ts';
import { InterceptedBackend, operation, prefixText } from './intercepted-backend.ts';
import type { Operation } from './intercepted-backend.ts';

const log = logger('backends/requests');

/** Logs every operation with its duration, as debugging messages of the module `backends/requests`. */
export class LoggedBackend extends InterceptedBackend {
  override async *list(prefix: string, options?: RequestOptions): AsyncGenerator<ListedObject> {
    let count = 0;
    const finished = logStart(operation('list', prefixText(prefix), options));
    try {
      for await (const listed of this.inner.list(prefix, options)) {
        count += 1;
        yield listed;
      }
      finished(`${count} keys`);
    } catch (error) {
      finished(`failed after ${count} keys: ${String(error)}`);
      throw error;
    }
  }

  protected async around<T>(subject: Operation, run: () => Promise<T>): Promise<T> {
    if (!log.isLevelEnabled('debug')) return run();
    const finished = logStart(subject);
    try {
      const result = await run();
      finished('done');
      return result;
    } catch (error) {
      finished(`failed: ${String(error)}`);
      throw error;
    }
  }
}

function logStart({ name, subject }: Operation): (outcome: string) => void {
  const startedMs = performance.now();
  return (outcome) => log.debug('%s %s: %s after %s ms', name, subject, outcome, (performance.now() - startedMs).toFixed(1));
}
