#!/bin/sh
# Runs the program whose name this file is called by (ffmpeg), found on PATH, contained in two ways that the library
# that starts it cannot: without our environment, which holds credentials, and (on Linux) killed by the kernel when the
# process that started it dies in any way, so that no orphan goes on encoding. The process id stays the same throughout.
set -eu
program=${0##*/}
set -- "$program" "$@"
if setpriv --pdeathsig KILL true 2>/dev/null; then
  set -- setpriv --pdeathsig KILL "$@"
fi
exec env -i PATH="$PATH" LC_ALL=C "$@"
