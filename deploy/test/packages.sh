#!/usr/bin/env bash
# Installs what is missing of the named needs: make, gcc, dovecot, redis, postgresql,
# chromium.
# usage: packages.sh NEED...
# On Debian and its kin, as root or with a sudo that asks nothing. No service is started.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin

present() {
  case $1 in
    gcc) command -v gcc && [ -e /usr/include/stdlib.h ] ;;
    redis) command -v redis-server && command -v redis-cli ;;
    chromium) command -v chromium || command -v chromium-browser || command -v google-chrome ;;
    postgresql) compgen -G '/usr/lib/postgresql/*/bin/initdb' || command -v initdb ;;
    *) command -v "$1" ;;
  esac >/dev/null
}

packages_of() {
  case $1 in
    gcc) echo gcc libc6-dev ;;
    redis) echo redis-server redis-tools ;;
    dovecot) echo dovecot-imapd ;;
    *) echo "$1" ;;
  esac
}

missing=() packages=()
for need in "$@"; do
  if ! present "$need"; then
    missing+=("$need")
    read -ra names <<<"$(packages_of "$need")"
    packages+=("${names[@]}")
  fi
done
[ ${#missing[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
  echo "packages.sh: missing: ${missing[*]}. Install them with the package manager of this system." >&2
  exit 1
fi
root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! sudo -n true 2>/dev/null; then
    echo "packages.sh: missing: ${missing[*]}. Install them with: sudo apt-get install ${packages[*]}" >&2
    exit 1
  fi
  root=(sudo -n)
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Debian starts a service when its package is installed, unless this file forbids
# it. One that is there already is the administrator's.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  trap 'rm -f "$log"; "${root[@]}" rm -f $policy' EXIT
  printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee $policy >/dev/null
  "${root[@]}" chmod 755 $policy
fi
echo "packages.sh: installing ${packages[*]}"
apt=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0)
if ! { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${packages[@]}"; } </dev/null >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "packages.sh: installing ${packages[*]} failed" >&2
  exit 1
fi
for need in "${missing[@]}"; do
  present "$need" || { echo "packages.sh: $need is still missing after installing ${packages[*]}" >&2; exit 1; }
done
