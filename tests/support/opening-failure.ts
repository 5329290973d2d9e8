/** What a user sees when a store cannot be opened. */
import type { Backend } from '../../src/backends/backend.ts';
import { describeError, type ErrorReport } from '../../src/cli/report-error.ts';

/** The report of the failure. Fails if the store opens after all. */
export async function openingFailure(opening: Promise<Backend>): Promise<ErrorReport> {
  let backend: Backend;
  try {
    backend = await opening;
  } catch (error) {
    return describeError(error);
  }
  await backend[Symbol.asyncDispose]();
  throw new Error(`${backend.url} was opened`);
}
