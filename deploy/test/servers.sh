#!/usr/bin/env bash
# Runs a command with the servers that the tests tagged "full" need: builds
# nats-server, starts Redis and PostgreSQL on free loopback ports in a temporary
# folder, and stops them afterwards, whatever happens. The exit code is the
# command's.
# usage: servers.sh COMMAND [ARGUMENT...]
set -euo pipefail
set -m # every child has a process group of its own, to be stopped as a whole
PATH=$PATH:/usr/sbin:/sbin
cd "$(dirname "$0")/../.."

folder=$(mktemp -d "${TMPDIR:-/tmp}/mailyard.XXXXXX")
chmod 711 "$folder" # user postgres passes through
mkdir -m 1777 "$folder/tmp"
mkdir "$folder/redis" "$folder/pg"
pids=()

finish() {
  code=$?
  trap - EXIT INT TERM HUP
  for pid in "${pids[@]}"; do # the last one first: the command
    kill -INT -- "-$pid" 2>/dev/null || continue
    for _ in {1..100}; do kill -0 "$pid" 2>/dev/null || continue 2; sleep 0.1; done
    kill -KILL -- "-$pid" 2>/dev/null || true
  done
  wait
  rm -rf "$folder"
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

fail() {
  echo "servers.sh: $1" >&2
  [ $# -lt 2 ] || tail -n 20 "$2" >&2
  exit 1
}

# run COMMAND...: runs it in the background, and as the first one to be stopped.
run() {
  "$@" &
  pids=("$!" "${pids[@]}")
}

# A port where nobody listens now. Somebody may be faster: see start.
free_port() {
  local port
  for _ in {1..100}; do
    port=$((RANDOM % 12000 + 20000))
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      echo "$port"
      return
    fi
  done
  fail 'no free port between 20000 and 32000'
}

# start NAME: runs NAME on a free port until NAME_answers there, and not another
# server that took the port. It sets port.
start() {
  local pid
  for _ in 1 2 3; do
    port=$(free_port)
    run "$1" "$port"
    pid=${pids[0]}
    for _ in {1..300}; do
      kill -0 "$pid" 2>/dev/null || break
      if "$1_answers" "$port" "$pid" >/dev/null 2>&1; then
        echo "servers.sh: $1 on 127.0.0.1:$port"
        return
      fi
      sleep 0.1
    done
  done
  fail "$1 does not start:" "$folder/$1.log"
}

secret=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')

# A server ends when this script is killed; it would stay behind otherwise.
redis() {
  exec setpriv --pdeathsig TERM redis-server - >"$folder/redis.log" 2>&1 <<C
bind 127.0.0.1
port $1
dir $folder/redis
requirepass $secret
save ""
appendonly no
databases 64
C
}
redis_answers() { REDISCLI_AUTH=$secret redis-cli -h 127.0.0.1 -p "$1" info server | grep -q "^process_id:$2\b"; }
redis_url() { echo "redis://:$secret@127.0.0.1:$1/0"; }

as_postgres=(setpriv --pdeathsig INT)
[ "$(id -u)" -ne 0 ] || as_postgres+=(--reuid postgres --regid postgres --init-groups) # it refuses to run as root

initialize_postgres() {
  local newest
  newest=$(compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort -V | tail -n 1 || true)
  [ -n "$newest" ] || newest=$(command -v initdb) || fail 'initdb of PostgreSQL is not to be found'
  pgbin=$(dirname "$newest")
  printf '%s' "$secret" >"$folder/pg.secret"
  [ "$(id -u)" -ne 0 ] || chown postgres "$folder/pg" "$folder/pg.secret"
  (cd "$folder/pg" && "${as_postgres[@]}" "$pgbin/initdb" --pgdata . --username postgres --auth scram-sha-256 \
    --pwfile ../pg.secret --encoding UTF8 --locale C --no-sync) >"$folder/initdb.log" 2>&1 || fail 'initdb fails:' "$folder/initdb.log"
}
postgres() {
  cd "$folder/pg"
  exec "${as_postgres[@]}" "$pgbin/postgres" -D "$folder/pg" -p "$1" -c listen_addresses=127.0.0.1 \
    -c unix_socket_directories= -c max_connections=300 -c fsync=on >"$folder/postgres.log" 2>&1
}
postgres_answers() { "$pgbin/psql" "$(postgres_url "$1")" -Atc 'show data_directory' | grep -qx "$folder/pg"; }
postgres_url() { echo "postgres://postgres:$secret@127.0.0.1:$1/postgres?sslmode=disable"; }

MAILYARD_TEST_DOVECOT=$(command -v dovecot) || fail 'dovecot is not to be found'
MAILYARD_TEST_CHROMIUM=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || fail 'chromium is not to be found'
MAILYARD_TEST_NATS_SERVER=$folder/nats-server
echo 'servers.sh: building nats-server at the version of pkg/go.mod'
GOWORK=off go build -C pkg -o "$MAILYARD_TEST_NATS_SERVER" github.com/nats-io/nats-server/v2
start redis
MAILYARD_TEST_REDIS=$(redis_url "$port")
initialize_postgres
start postgres
MAILYARD_TEST_POSTGRES=$(postgres_url "$port")
export MAILYARD_TEST_CHROMIUM MAILYARD_TEST_DOVECOT MAILYARD_TEST_NATS_SERVER MAILYARD_TEST_REDIS MAILYARD_TEST_POSTGRES

run env TMPDIR="$folder/tmp" "$@"
wait "${pids[0]}"
