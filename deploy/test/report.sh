#!/usr/bin/env bash
# Runs a `go test` command, leaves out packages without tests, and closes with
# one line that tells how it went. The exit code is the command's.
# usage: report.sh go test ...
set -uo pipefail
passed=0 failed=
exec 3< <(exec "$@" 2>&1)
command=$!
while IFS= read -r line <&3; do
  case $line in
  \?*'[no test files]') continue ;;
  'ok '*) passed=$((passed + 1)) ;;
  $'FAIL\t'*) failed+=" $(cut -f2 <<<"$line")" ;;
  esac
  printf '%s\n' "$line"
done
wait "$command"
code=$?
echo "test: $passed packages passed${failed:+, FAILED:$failed}"
echo "test: exit code $code after $SECONDS s"
exit "$code"
