/** What a crashed mount had not stored when another machine took its file system over is not lost: `s3ql --set-aside` reads it. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { brokenInvariants } from '../support/invariants.ts';
import { MountedFileSystem, runCommand } from '../support/mounted-file-system.ts';

test('files that were never stored are listed and copied out, nothing is changed, and the store is the other machine’s', async () => {
  await using here = await MountedFileSystem.create();
  writeFileSync(join(here.mountpoint, 'stored'), 'stored');
  await here.remount();
  const unstored = Buffer.alloc(300_000, 'never stored ');
  mkdirSync(join(here.mountpoint, 'new'));
  writeFileSync(join(here.mountpoint, 'new/file'), unstored, { flush: true });
  await here.kill();
  await here.removeMounts();

  // The other machine has another cache directory.
  await using elsewhere = await MountedFileSystem.prepare({ storeDirectory: here.storeDirectory, mountArguments: ['--take-over'] });
  await elsewhere.mount();
  writeFileSync(join(elsewhere.mountpoint, 'theirs'), 'theirs');
  await elsewhere.unmount();

  const said = (await here.mount()).stderr;
  await here.unmount();
  const directory = /kept in (\S+)/.exec(said)?.[1] ?? '';
  expect(directory).toContain('set-aside-0');

  const common = ['--cachedir', here.cacheDirectory, '--authfile', join(here.directory, 'none')];
  const url = here.storageUrl;
  const aside = ['--set-aside', directory];
  expect((await runCommand('s3ql', ['ls', ...common, '-R', url])).stdout).not.toContain('new');
  for (let run = 0; run < 2; run += 1) {
    const listed = await runCommand('s3ql', ['ls', ...common, ...aside, '-R', url]);
    expect(listed).toMatchObject({ exitCode: 0, stderr: '' });
    expect(listed.stdout).toMatch(/stored/);
    expect(listed.stdout).toMatch(/new[^]*file/);
    expect(listed.stdout).not.toContain('theirs');
    const target = join(here.directory, `copy-${run}`);
    expect(await runCommand('s3ql', ['get', ...common, ...aside, `${url}:/new/file`, target])).toMatchObject({ exitCode: 0, stderr: '' });
    expect(readFileSync(target)).toEqual(unstored);
    expect((await runCommand('s3ql', ['cat', ...common, ...aside, `${url}:/stored`])).stdout).toBe('stored');
  }
  expect(await runCommand('s3ql', ['ls', ...common, '--set-aside', here.directory, url])).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/^error: .* holds nothing that a mount had/) as string,
  });
  expect(await brokenInvariants({ storeDirectory: here.storeDirectory, allowUnknownObjects: true })).toEqual([]);
  expect((await runCommand('s3ql', ['cat', ...common, `${url}:/theirs`])).stdout).toBe('theirs');
});
