/**
 * An ordinary user mounts by fusermount3. In a mount namespace of its own, since /dev/fuse and the checkout must be usable by that user,
 * which is not so on every machine.
 */
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runProgram, type ProgramResult } from '../support/run-program.ts';

const checkout = fileURLToPath(new URL('../..', import.meta.url));
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 's3ql-user-'));
  await chmod(directory, 0o755);
  for (const name of ['dev', 'checkout', 'mnt']) await mkdir(join(directory, name));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

/** Runs a script as root with the daemon running as nobody; `$mnt` is its mountpoint, `$daemon` its process, `$user` a prefix to act as it. */
function runWithDaemon(options: string, script: string): Promise<ProgramResult> {
  const node = process.execPath.startsWith(checkout) ? join(directory, 'checkout', relative(checkout, process.execPath)) : process.execPath;
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
     : >"$1/fuse.conf"
     mount --bind "$1/fuse.conf" /etc/fuse.conf
     chown 65534:65534 "$1/mnt"
     mkfifo "$1/said"
     mnt="$1/mnt"
     user='setpriv --reuid=65534 --regid=65534 --clear-groups'
     $user "$3" "$1/checkout/tests/support/fuse/daemon-main.ts" "$mnt" "$4" >"$1/said" &
     daemon=$!
     exec 3<"$1/said"
     read -r said <&3
     echo "daemon: $said"
     ${script}`,
    'sh',
    directory,
    checkout,
    node,
    options,
  ]);
}

test('an ordinary user mounts, uses and unmounts, and is the only one who may use it', async () => {
  const { stdout, stderr, exitCode } = await runWithDaemon(
    '{}',
    `grep "$mnt" /proc/mounts
     $user sh -euc 'cd "$1"; mkdir d; echo text >d/file; cat d/file; stat -c %u:%g d/file' sh "$mnt"
     stat "$mnt" 2>&1 || true
     kill -TERM $daemon
     wait $daemon
     echo "exit $?"
     read -r said <&3
     echo "daemon: $said"
     grep -c "$mnt" /proc/mounts || true`,
  );
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  const lines = stdout.trim().split('\n');
  expect(lines[0]).toBe('daemon: mounted');
  expect(lines[1]).toMatch(/^local:\/\/\/data,\\040with\\134specials\/ \S+\/mnt fuse\.s3ql rw,nosuid,nodev,.*user_id=65534,group_id=65534/);
  expect(lines.slice(2)).toEqual(['text', '65534:65534', expect.stringContaining('Permission denied'), 'exit 0', 'daemon: ended', '0']);
});

test('unmounting while files are open fails with what fusermount3 says, and the mount lives on', async () => {
  const { stdout, exitCode } = await runWithDaemon(
    '{}',
    `$user sh -euc 'exec 5>"$1/file"; kill -TERM "$2"; read -r said <&3; echo "daemon: $said"; echo lives >&5; cat "$1/file"' sh "$mnt" $daemon
     kill -TERM $daemon
     wait $daemon`,
  );
  expect(stdout.split('\n')).toEqual([
    'daemon: mounted',
    expect.stringMatching(/^daemon: MountError: fusermount3: failed to unmount .*: Device or resource busy$/),
    'lives',
    '',
  ]);
  expect(exitCode).toBe(0);
});

test('what fusermount3 refuses is told in its words', async () => {
  const { stdout } = await runWithDaemon('{"allowOther":true}', 'wait $daemon || true');
  expect(stdout).toMatch(/daemon: MountError: .*allow_other only allowed if 'user_allow_other' is set in \/etc\/fuse.conf/);
});
