/** Runs every claim of docs/semantics.md on a mount. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { mountTarget } from '../support/mount-target.ts';
import { SyscallAgent } from '../support/syscall-agent.ts';
import { runRow } from './run-row.ts';
import { attributeChecks } from './semantics/attributes.ts';
import type { Checks } from './semantics/check.ts';
import { readClaims } from './semantics/claims.ts';
import { contentChecks } from './semantics/contents.ts';
import { nameChecks } from './semantics/names.ts';
import { protectionChecks } from './semantics/protection.ts';

const checks: Checks = { ...nameChecks, ...contentChecks, ...attributeChecks, ...protectionChecks };
const claims = readClaims();
// Nothing is stored before a check says so.
const target = await mountTarget({ mountArguments: ['--dirty-block-upload-delay', '3600'] });
const agent = new SyscallAgent();
afterAll(async () => {
  await agent.kill();
  await target[Symbol.asyncDispose]();
});

test('every claim has a check, every check a claim, each once', () => {
  expect(claims.map(({ id }) => id).sort()).toEqual(Object.keys(checks).sort());
});

for (const { id, text } of claims) {
  test(`${id}: ${text}`, async () => {
    const directory = join(target.path, id);
    await mkdir(directory);
    const check = checks[id];
    if (check === undefined) throw new Error('no check');
    if (typeof check === 'function') {
      await check({ target, agent, directory });
      await agent.run([]);
      return;
    }
    const problems: string[] = [];
    for (const [index, row] of check.entries())
      problems.push(...(await runRow(agent, join(directory, String(index)), { name: id, ...row })));
    expect(problems).toEqual([]);
  });
}

test('after all that, no invariant is broken', async () => {
  expect(await target.fileSystem.brokenInvariants()).toEqual([]);
});
