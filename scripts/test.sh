#!/bin/sh
# Installs what the tests need, then runs all of them. The last line is `N passed, N failed`.
# Arguments go to the test runner: npm test -- tests/posix. S3QL_TEST_LONG=1 runs the long suites in full.
cd "$(dirname "$0")/.."
. scripts/bootstrap.sh
sh scripts/install-debian-packages.sh fuse3 rsync attr acl fio git sqlite3
# Types need not be stripped again for every thread that a test starts: that takes longer than what many of them do.
NODE_COMPILE_CACHE=${NODE_COMPILE_CACHE:-$PWD/node_modules/.cache/s3ql}
export NODE_COMPILE_CACHE
exec vitest run --reporter=default --reporter=./tests/support/summary-reporter.ts "$@"
