/**
 * An ordinary user makes, mounts, uses and unmounts a file system, by fusermount3. In a mount namespace of its own, since /dev/fuse and the
 * checkout must be usable by that user, which is not so on every machine.
 */
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runProgram, type ProgramResult } from '../support/run-program.ts';

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 's3ql-user-'));
  await chmod(directory, 0o755);
  for (const name of ['dev', 'checkout', 'home']) await mkdir(join(directory, name));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

/** Runs a script as root with the file system mounted by nobody; `$user` is a prefix to act as that user, `$1` the directory. */
function withUsersMount(script: string): Promise<ProgramResult> {
  return runProgram('unshare', [
    '-m',
    // What is unmounted elsewhere goes here too, instead of being kept.
    '--propagation=slave',
    'sh',
    '-euc',
    `mount -t tmpfs none "$1/dev"
     mknod "$1/dev/fuse" c 10 229
     chmod 666 "$1/dev/fuse"
     mount --bind "$1/dev/fuse" /dev/fuse
     mount --bind "$2" "$1/checkout"
     chown 65534:65534 "$1/home"
     export HOME="$1/home" PATH="$1/checkout/bin:$PATH"
     user='setpriv --reuid=65534 --regid=65534 --clear-groups'
     $user sh -c 'mkdir "$HOME/store" "$HOME/mnt" && mkfifo "$HOME/started" "$HOME/held"'
     $user mkfs.s3ql --quiet --plain "local://$HOME/store"
     $user mount.s3ql --quiet --compress lzma-9 --max-threads 1 "local://$HOME/store" "$HOME/mnt"
     mounted() { grep -c " $HOME/mnt " /proc/self/mounts || true; }
     ${script}`,
    'sh',
    directory,
    CHECKOUT,
  ]);
}

test('the mount of an ordinary user: who uses it is named, nobody else takes it away, and its user unmounts it', async () => {
  const { stdout, stderr, exitCode } = await withUsersMount(`
     $user sh -c 'echo content >"$HOME/mnt/file"'
     $user sh -c 'cd "$HOME/mnt" && echo >"$HOME/started" && exec cat "$HOME/held"' &
     read -r _ <"$HOME/started"
     $user umount.s3ql "$HOME/mnt" || echo "in use: exit $?"
     : >"$HOME/held"
     wait
     setpriv --reuid=21003 --regid=21003 --clear-groups umount.s3ql "$HOME/mnt" || echo "a stranger: exit $?"
     setpriv --reuid=21003 --regid=21003 --clear-groups s3ql backup /etc "$HOME/mnt" || echo "a stranger: exit $?"
     echo "mounted: $(mounted)"
     $user umount.s3ql "$HOME/mnt"
     echo "mounted: $(mounted)"
     $user mount.s3ql --quiet "local://$HOME/store" "$HOME/mnt"
     $user cat "$HOME/mnt/file"
     $user umount.s3ql --lazy "$HOME/mnt"
     echo "mounted: $(mounted)"
     # Its process holds the lock until it has stored everything.
     flock "$HOME"/.s3ql/*/lock true`);
  const mountpoint = join(directory, 'home/mnt');
  const mine = `error: ${mountpoint} cannot be accessed: only the user who mounted an S3QL file system may do this`;
  expect({ exitCode, stderr }).toEqual({
    exitCode: 0,
    stderr: expect.stringMatching(
      new RegExp(`^error: ${mountpoint} is in use by cat \\(process \\d+: current directory\\)\\n${mine}\\n${mine}\\n$`),
    ) as string,
  });
  expect(stdout).toBe('in use: exit 1\na stranger: exit 1\na stranger: exit 1\nmounted: 1\nmounted: 0\ncontent\nmounted: 0\n');
});

test('what an ordinary user copies becomes his, as on any disk, and he gets at everything in his mount', async () => {
  const { stdout, stderr, exitCode } = await withUsersMount(`
     mkdir "$1/tree"
     echo content >"$1/tree/file"
     $user cp -a "$1/tree" "$HOME/mnt"
     $user stat -c '%u %a' "$HOME/mnt/tree" "$HOME/mnt/tree/file"
     $user chown 0 "$HOME/mnt/tree" 2>/dev/null || echo "chown: exit $?"
     $user chown 65534 "$HOME/mnt/tree"
     $user setfacl -m u:0:rw "$HOME/mnt/tree/file"
     $user stat -c '%a' "$HOME/mnt/tree/file"
     $user getfacl -cnp "$HOME/mnt/tree/file"
     $user chmod 0 "$HOME/mnt/tree/file"
     $user cat "$HOME/mnt/tree/file"
     $user umount.s3ql "$HOME/mnt"`);
  expect({ stdout, stderr, exitCode }).toEqual({
    stdout: '65534 755\n65534 644\nchown: exit 1\n664\nuser::rw-\nuser:0:rw-\ngroup::r--\nmask::rw-\nother::r--\n\ncontent\n',
    stderr: '',
    exitCode: 0,
  });
});

test('on a terminal umount.s3ql shows how far the upload is; elsewhere nothing is overwritten', async () => {
  const write = `$user sh -c 'head -c 2000000 /dev/urandom | base64 -w0 >"$HOME/mnt/file"'`;
  const terminal = await withUsersMount(`${write}
     $user script -qec "umount.s3ql $HOME/mnt" /dev/null </dev/null`);
  expect(terminal).toMatchObject({ exitCode: 0, stderr: '' });
  expect(terminal.stdout).toContain('\r\u001B[K');
  expect(terminal.stdout).toMatch(/Uploading changed data: \d+ of \d+ blocks, .* of .* \(\d+ %\)/);
});
