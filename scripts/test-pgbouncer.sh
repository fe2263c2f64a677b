#!/bin/sh
# Behind PgBouncer in transaction mode: a test of its own, then the life of a user and every race of a refresh through it.
# Needs Debian's pgbouncer. Usage: scripts/test-pgbouncer.sh
set -eu
cd "$(dirname "$0")/.."
export TEST_POOLER=pgbouncer
node scripts/test.js test/pooler/pgbouncer.ts test/journey.ts test/features/accounts.ts test/features/refresh-races.ts \
  test/features/throttle-races.ts
