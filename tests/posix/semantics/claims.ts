/** The claims of docs/semantics.md: every row of every table, with the id of its check in the last cell. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface Claim {
  readonly id: string;
  readonly text: string;
}

const PAGE = fileURLToPath(new URL('../../../docs/semantics.md', import.meta.url));

/** @throws if a row has no id */
export function readClaims(page: string = readFileSync(PAGE, 'utf8')): Claim[] {
  const rows = page.split('\n').filter((line) => line.startsWith('|'));
  // Each table begins with a header and a line of dashes.
  const isHeader = (index: number): boolean => /^\|( ---+ \|)+$/.test(rows[index] ?? '') || /^\|( ---+ \|)+$/.test(rows[index + 1] ?? '');
  return rows.filter((_, index) => !isHeader(index)).map(claimOf);
}

function claimOf(row: string): Claim {
  const cells = row
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim());
  const id = /^`([a-z0-9-]+)`$/.exec(cells.at(-1) ?? '')?.[1];
  if (id === undefined) throw new Error(`a claim without a check: ${row}`);
  return { id, text: cells.slice(0, -1).join(': ').replaceAll('`', '') };
}
