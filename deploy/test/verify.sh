#!/usr/bin/env bash
# Checks, on a copy, that the modules are tidy, that the workspace agrees with
# them, that each builds without the workspace, and that what is generated is up
# to date.
# usage: verify.sh MODULE...
set -euo pipefail
cd "$(dirname "$0")/../.."
copy=$(mktemp -d "${TMPDIR:-/tmp}/mailyard.XXXXXX")
trap 'rm -rf "$copy"' EXIT

failed=()
check() { # NAME COMMAND...
  echo "verify: $1"
  "${@:2}" || failed+=("$1")
}
in_module() { (cd "$1" && GOWORK=off "${@:2}"); }
# unchanged ADVICE COMMAND...: the command, run in a copy of the tree, changes nothing.
unchanged() {
  rm -rf "$copy"
  mkdir "$copy"
  tar -c --exclude=./.git --exclude=./bin --exclude=./data . | tar -x -C "$copy"
  env -C "$copy" "${@:2}" || return 1
  diff -ru --exclude=.git --exclude=bin --exclude=data . "$copy" || { echo "verify: run $1 and commit what it changes" >&2; return 1; }
}

for module in "$@" tools; do
  check "$module is tidy" in_module "$module" go mod tidy -diff
  check "$module builds without the workspace" in_module "$module" go build -o /dev/null ./...
done

check 'the workspace agrees with the modules' unchanged 'make tidy' go work sync
check 'generated files are up to date' unchanged 'make generate' go generate work

if [ ${#failed[@]} -gt 0 ]; then
  printf 'verify: FAILED: %s\n' "${failed[@]}" >&2
  exit 1
fi
echo 'verify: all is well'
