#!/bin/sh
# Types, lint, format, unused code, unit tests: what every commit on main passes.
cd "$(dirname "$0")/.."
. scripts/bootstrap.sh
tsc
oxlint --deny-warnings
oxfmt --check src tests bench scripts ./*.json ./*.ts
knip
vitest run --project unit --reporter=dot
