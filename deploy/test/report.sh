#!/usr/bin/env bash
# Runs a `go test` command, leaves out packages without tests, and closes with
# one line that tells how it went. The exit code is the command's.
# usage: report.sh go test ...
set -uo pipefail
begin=$SECONDS
"$@" 2>&1 | awk '
  /^\?.*\[no test files\]$/ { next }
  { print; fflush() }
  /^ok / { passed++ }
  /^FAIL\t/ { failed = failed " " $2 }
  END { printf "test: %d packages passed", passed; if (failed) printf ", FAILED:%s", failed; print "" }'
code=${PIPESTATUS[0]}
echo "test: exit code $code after $((SECONDS - begin)) s"
exit "$code"
