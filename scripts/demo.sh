#!/bin/sh
# npm run demo [-- DIR]: the main job from end to end, on real files. Makes an encrypted file system in a temporary directory, mounts it, copies
# DIR in, shows it, unmounts, mounts it again without the local cache, compares every byte and attribute, and cleans up however it ends.
# Where the kernel lets nobody mount (no /dev/fuse, no permission) the same is done by the commands that need no mount.
set -eu
start_directory=$PWD
cd "$(dirname "$0")/.."
. scripts/bootstrap.sh
PATH="$PWD/bin:$PATH"
cd "${INIT_CWD:-$start_directory}"

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || say() { printf '\n%s\n' "$*"; }
run() { printf '$ %s\n' "$*"; "$@"; }

default_source() {
  for candidate in /usr/share/doc /usr/share /etc; do
    if [ -d "$candidate" ] && [ "$(find "$candidate" -type f 2>/dev/null | head -n 100 | wc -l)" -ge 100 ]; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  printf '/etc\n'
}

source=${1:-$(default_source)}
[ -d "$source" ] || { echo "demo: $source is not a directory" >&2; exit 2; }
source=$(cd "$source" && pwd -P)

work=$(mktemp -d "${TMPDIR:-/tmp}/s3ql-demo.XXXXXX")
mountpoint=$work/mnt
cleanup() {
  status=$?
  trap - EXIT INT TERM
  cd /
  if grep -qs " $mountpoint fuse" /proc/mounts; then umount.s3ql --lazy "$mountpoint" 2>/dev/null || umount -l "$mountpoint" 2>/dev/null || fusermount3 -u -z "$mountpoint" || true; fi
  rm -rf "$work"
  exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

store=local://$work/store
mkdir "$work/store" "$mountpoint"
passphrase() { printf 'demo passphrase\n'; }

# What a tree looks like: type, mode, owner, size, time, link target, name; directories' sizes and times of links are left out.
attributes() { (cd "$1" && find . -mindepth 1 \( -type d -printf '%y %m %U:%G - %T@ %p\n' -o -type l -printf '%y %U:%G %l %p\n' -o -printf '%y %m %U:%G %s %T@ %p\n' \) | LC_ALL=C sort); }

say "1. Make an encrypted file system in $work/store"
passphrase | run mkfs.s3ql --cachedir "$work/cache" "$store"

compare() {
  run diff -r --no-dereference "$source" "$1"
  attributes "$source" >"$work/original"
  attributes "$1" >"$work/copy"
  diff "$work/original" "$work/copy"
  printf '%s entries, all equal.\n' "$(wc -l <"$work/copy")"
}

without_a_mount() {
  say '2. The kernel lets nobody mount here (the error above): going on with the commands that need no mount'

  say "3. Copy $source in"
  passphrase | run s3ql put --cachedir "$work/cache" --compress zlib-6 "$source" "$store:/copy"

  say '4. Forget all that this machine knows of it, as another machine would begin'
  rm -rf "$work/cache"
  passphrase | run s3ql ls --cachedir "$work/cache" -l "$store:/"
  passphrase | run s3ql du --cachedir "$work/cache" "$store:/copy"

  say '5. Copy it out again'
  passphrase | run s3ql get --cachedir "$work/cache" "$store:/copy" "$work/back"

  say '6. Compare every byte and every attribute with the original'
  compare "$work/back"
  say 'Done, without a mount. The temporary directory is removed again.'
}

say '2. Mount it'
mounted=0
passphrase | run mount.s3ql --cachedir "$work/cache" --compress zlib-6 --log "$work/mount.log" "$store" "$mountpoint" || mounted=$?
if [ "$mounted" -eq 39 ]; then
  without_a_mount
  exit 0
fi
[ "$mounted" -eq 0 ] || exit "$mounted"
run mount | grep "$mountpoint" || true

say "3. Copy $source in"
run cp -a "$source" "$mountpoint/copy"
run df -h "$mountpoint"

say '4. Unmount: everything that is not yet in the store goes there now'
run s3qlstat "$mountpoint"
run umount.s3ql "$mountpoint"

say '5. Mount it again as another machine would: without the local cache'
rm -rf "$work/cache"
passphrase | run mount.s3ql --cachedir "$work/cache" --log "$work/mount.log" "$store" "$mountpoint"
run s3qlstat "$mountpoint"

say '6. Compare every byte and every attribute with the original'
compare "$mountpoint/copy"

run umount.s3ql "$mountpoint"
say 'Done. The temporary directory is removed again.'
