/** What programs do that system calls alone don't show: setfacl, dd with O_DIRECT, execution, inotify, flock(1), sparse copies. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, mkdir, open, readFile, readdir, stat, watch, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mustRun, runProgram } from '../support/run-program.ts';
import type { Target } from '../support/target.ts';

export function programSuite(target: Target): void {
  describe(`programs on ${target.name}`, () => {
    const directory = join(target.path, 'programs');
    const path = (name: string): string => join(directory, name);

    beforeAll(() => mkdir(directory));

    test('setfacl and getfacl agree', async () => {
      await writeFile(path('acl'), 'x');
      await mustRun('setfacl', ['-m', 'u:1234:rw,g:5678:r', path('acl')]);
      const { stdout } = await mustRun('getfacl', ['--omit-header', '--numeric', '--absolute-names', path('acl')]);
      expect(stdout.trim().split('\n')).toEqual(['user::rw-', 'user:1234:rw-', 'group::r--', 'group:5678:r--', 'mask::rw-', 'other::r--']);
    });

    test('setfacl -d and -b set and clear what getfacl shows of a directory', async () => {
      await mkdir(path('acl-directory'));
      await mustRun('setfacl', ['-d', '-m', 'u:1234:rwx', path('acl-directory')]);
      await mkdir(path('acl-directory/inner'));
      const inner = await mustRun('getfacl', ['--omit-header', '--numeric', '--absolute-names', path('acl-directory/inner')]);
      expect(inner.stdout).toContain('default:user:1234:rwx');
      await mustRun('setfacl', ['-b', path('acl-directory/inner')]);
      const cleared = await mustRun('getfacl', ['--omit-header', '--numeric', '--absolute-names', path('acl-directory/inner')]);
      expect(cleared.stdout).not.toContain('1234');
    });

    test('dd writes and reads with O_DIRECT', async () => {
      await mustRun('dd', ['if=/dev/urandom', `of=${path('source')}`, 'bs=4096', 'count=300', 'status=none']);
      await mustRun('dd', [`if=${path('source')}`, `of=${path('direct')}`, 'bs=65536', 'iflag=direct', 'oflag=direct', 'status=none']);
      await mustRun('cmp', [path('source'), path('direct')]);
      await mustRun('dd', [
        'if=/dev/zero',
        `of=${path('direct')}`,
        'bs=4096',
        'count=1',
        'seek=10',
        'oflag=direct',
        'conv=notrunc',
        'status=none',
      ]);
      const [source, direct] = [await readFile(path('source')), await readFile(path('direct'))];
      source.fill(0, 40_960, 45_056);
      expect(direct.equals(source)).toBe(true);
    });

    test('a program and a script run from it', async () => {
      await copyFile('/bin/echo', path('echo'));
      await chmod(path('echo'), 0o755);
      expect((await mustRun(path('echo'), ['hello'])).stdout).toBe('hello\n');
      await writeFile(path('script'), '#!/bin/sh\necho "from $1"\n', { mode: 0o755 });
      expect((await mustRun(path('script'), ['here'])).stdout).toBe('from here\n');
    });

    test('a file without permission to execute does not run', async () => {
      await writeFile(path('no-script'), '#!/bin/sh\n', { mode: 0o644 });
      expect((await runProgram('sh', ['-c', path('no-script')])).exitCode).toBe(126);
    });

    test('a running program can not be written, and can be once it ends', async () => {
      await copyFile('/bin/sleep', path('sleep'));
      await chmod(path('sleep'), 0o755);
      const child = spawn(path('sleep'), ['1000'], { stdio: 'ignore' });
      await once(child, 'spawn');
      await expect(open(path('sleep'), 'r+')).rejects.toThrow('ETXTBSY');
      child.kill('SIGKILL');
      await once(child, 'exit');
      await (await open(path('sleep'), 'r+')).close();
    });

    test('inotify tells of new files', async () => {
      await mkdir(path('watched'));
      const abort = new AbortController();
      const events = watch(path('watched'), { signal: abort.signal });
      const iterator = events[Symbol.asyncIterator]();
      const first = iterator.next();
      await writeFile(path('watched/new'), 'x');
      expect((await first).value).toMatchObject({ filename: 'new' });
      abort.abort();
    });

    test('cp makes sparse files and keeps what they hold', async () => {
      const file = await open(path('holes'), 'w');
      await file.write('end', 50 << 20);
      await file.close();
      await mustRun('cp', ['--sparse=always', path('holes'), path('holes-2')]);
      await mustRun('cmp', [path('holes'), path('holes-2')]);
      expect((await stat(path('holes-2'))).blocks).toBeLessThan((50 << 20) / 512);
    });

    test('flock(1) runs one command at a time', async () => {
      await writeFile(path('counter'), '0');
      const step = `n=$(cat counter); n=$((n + 1)); echo $n > counter`;
      await Promise.all(
        Array.from({ length: 8 }, () =>
          mustRun('flock', [path('lock'), 'sh', '-c', `for i in 1 2 3 4 5; do ${step}; done`], { cwd: directory }),
        ),
      );
      expect((await readFile(path('counter'), 'utf8')).trim()).toBe('40');
    });

    test('two processes that append with O_APPEND lose no line', async () => {
      await Promise.all(
        ['a', 'b'].map((name) =>
          mustRun('sh', ['-c', `i=0; while [ $i -lt 300 ]; do echo ${name}$i >> appended; i=$((i + 1)); done`], { cwd: directory }),
        ),
      );
      const lines = (await readFile(path('appended'), 'utf8')).trim().split('\n');
      const expected = ['a', 'b'].flatMap((name) => Array.from({ length: 300 }, (_, index) => `${name}${index}`));
      expect(lines.sort()).toEqual(expected.sort());
    });

    test('rm -r removes a tree', async () => {
      await mustRun('sh', ['-c', 'mkdir -p tree/a/b/c tree/d; touch tree/a/b/c/f tree/d/g; ln -s nowhere tree/l; rm -r tree'], {
        cwd: directory,
      });
      expect(await readdir(directory)).not.toContain('tree');
    });

    afterAll(() => mustRun('rm', ['-r', directory]));
  });
}
