#!/bin/sh
# Makes the passwords that docker-compose.yml asks for, each in a file of its own
# in deploy/compose/secrets, which git ignores. A file that is there stays, so
# it can be run again.
set -eu
umask 077
dir=$(dirname "$0")/secrets
mkdir -p "$dir"
# The folder keeps others out. The files in it can be read by all, because each
# is mounted alone into containers whose user is not yours.
chmod 700 "$dir"
cd "$dir"
[ -e .gitignore ] || echo '*' >.gitignore

random() { # a letter first: nats-server reads what begins with a digit as a number
  printf 'p'
  od -An -N24 -tx1 /dev/urandom | tr -d ' \n'
}
secret() { # NAME CONTENT
  [ -e "$1" ] && return
  printf '%s\n' "$2" >"$1.new"
  chmod 444 "$1.new"
  mv "$1.new" "$1"
  echo "made $dir/$1"
}

users="admin classifier configurator disposer fetcher persister"
for user in $users; do
  secret "nats_$user" "$(random)"
done
# Made anew each time: a new version may have more users, and nats-server starts
# only when it knows all their passwords.
for user in $users; do
  echo "$(echo $user | tr a-z A-Z)_PASSWORD=$(cat nats_$user)"
done >nats.env
secret postgres_password "$(random)"
secret control_url "postgres://mailyard:$(cat postgres_password)@postgres:5432/control?sslmode=disable"
secret messaging_url "postgres://mailyard:$(cat postgres_password)@postgres:5432/mailyard?sslmode=disable"
secret redis_password "$(random)"
secret redis_url "redis://:$(cat redis_password)@redis:6379/0"
secret redis.conf "requirepass $(cat redis_password)
save \"\"
appendonly no"
secret demo_password "$(random)"
secret operator_token "$(random)"
