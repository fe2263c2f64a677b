#!/bin/sh
# The backup and the restore of docs/operations.md, by its own commands. Needs Debian's postgresql.
# Usage: scripts/test-restore.sh
set -eu
cd "$(dirname "$0")/.."
node scripts/test.js test/restore/restore.ts
