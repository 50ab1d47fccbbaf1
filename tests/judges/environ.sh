# Reads the .env file $1 as a shell does and prints the environment, NUL-separated.
set -a
. "$1"
exec /usr/bin/env -0
