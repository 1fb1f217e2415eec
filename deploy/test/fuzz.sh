#!/usr/bin/env bash
# Runs every fuzz target of the workspace for a while, one after the other.
# usage: fuzz.sh DURATION
set -euo pipefail
cd "$(dirname "$0")/../.."
targets=$(grep -rHoE '^func Fuzz[A-Za-z0-9_]*' --include='*_test.go' schemas pkg services | sed 's/:func / /' | sort)
count=0 failed=()
while read -r file target; do
  echo "fuzz: $target in $(dirname "$file")"
  go test "./$(dirname "$file")" -run '^$' -fuzz "^$target\$" -fuzztime "$1" </dev/null || failed+=("$target in $(dirname "$file")")
  count=$((count + 1))
done <<<"$targets"
if [ ${#failed[@]} -gt 0 ]; then
  printf 'fuzz: FAILED: %s\n' "${failed[@]}" >&2
  exit 1
fi
echo "fuzz: $count targets, $1 each, found nothing"
