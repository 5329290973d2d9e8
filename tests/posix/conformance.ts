/** Runs all tables of the conformance suite on a target. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SyscallAgent } from '../support/syscall-agent.ts';
import type { Target } from '../support/target.ts';
import { runRow } from './run-row.ts';
import { tables } from './tables.ts';

export function conformanceSuite(target: Target): void {
  let agent: SyscallAgent;

  beforeAll(() => {
    agent = new SyscallAgent();
  });
  afterAll(() => agent.kill());

  for (const [tableIndex, table] of tables.entries()) {
    describe(`${table.name} on ${target.name}`, () => {
      const directory = join(target.path, String(tableIndex));
      beforeAll(() => mkdir(directory, { mode: 0o755 }));
      for (const [index, row] of table.rows.entries()) {
        if (row.needs !== undefined && !target.capabilities.has(row.needs)) continue;
        test(`${index}: ${row.name}`, async () => {
          expect(await runRow(agent, join(directory, String(index)), row)).toEqual([]);
        });
      }
    });
  }
}
