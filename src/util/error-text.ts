/**
 * An error as text for logs and bug reports: stacks of the error and its causes. Unlike util.inspect it shows no other properties: errors of
 * clients of stores carry whole requests, with credentials in their headers.
 */

/** Deeper chains of causes are cut off. */
const MAXIMUM_DEPTH = 8;

export function errorText(error: unknown): string {
  const parts: string[] = [];
  collect(error, '', 0, parts);
  return parts.join('\n');
}

function collect(error: unknown, label: string, depth: number, parts: string[]): void {
  if (depth >= MAXIMUM_DEPTH) return;
  if (!(error instanceof Error)) {
    parts.push(`${label}${String(error)}`);
    return;
  }
  parts.push(`${label}${error.stack ?? error.message}`);
  if (error.cause !== undefined) collect(error.cause, 'caused by ', depth + 1, parts);
  if (error instanceof AggregateError) for (const inner of error.errors) collect(inner, 'one of: ', depth + 1, parts);
}
