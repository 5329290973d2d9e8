#!/bin/sh
# Runs a program of bench/ under Node 26: npm run bench, npm run bench:page.
cd "$(dirname "$0")/.."
. scripts/bootstrap.sh
exec node "$@"
