#!/usr/bin/env bash
# Runs every fuzz target of the workspace for a while, one after the other.
# usage: fuzz.sh DURATION
set -euo pipefail
cd "$(dirname "$0")/../.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Until Go 1.27 a target may fail just because its time is over (go.dev/issue/75804):
# it then says nothing but that, and is run again.
fuzz() {
  for _ in 1 2 3; do
    if go test "$1" -run '^$' -fuzz "^$2\$" -fuzztime "$3" </dev/null 2>&1 | tee "$log"; then return; fi
    grep -A 1 '^--- FAIL: ' "$log" | tail -n 1 | grep -qx '    context deadline exceeded' || return 1
  done
  return 1
}

targets=$(grep -rHoE '^func Fuzz[A-Za-z0-9_]*' --include='*_test.go' schemas pkg services | sed 's/:func / /' | sort)
count=0 failed=()
while read -r file target; do
  folder=$(dirname "$file")
  echo "fuzz: $target in $folder"
  fuzz "./$folder" "$target" "$1" || failed+=("$target in $folder")
  count=$((count + 1))
done <<<"$targets"
if [ ${#failed[@]} -gt 0 ]; then
  printf 'fuzz: FAILED: %s\n' "${failed[@]}" >&2
  exit 1
fi
echo "fuzz: $count targets, $1 each, found nothing"
