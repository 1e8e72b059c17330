#!/bin/sh
# The checks of Django under production settings, and that no migration is missing. $1: the Python to use.
set -eu
home=$(mktemp -d /tmp/em-check-XXXXXX)
trap 'rm -rf "$home"' EXIT
export EARMARK_HOME="$home"
echo "manage.py check --deploy (production)"
EARMARK_PROFILE=production EARMARK_HOSTS=listening.example.org "$1" manage.py check --deploy --fail-level WARNING
echo "manage.py makemigrations --check"
"$1" manage.py makemigrations --check --dry-run
