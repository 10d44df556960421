#!/usr/bin/env bash
# Installs the wheel into an environment of its own and runs `talkie demo` where the checkout cannot be seen.
# usage: demo.sh UV PYTHON [arguments for talkie demo]
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
uv=$1 python=$2
shift 2

echo "-- building the wheel and installing it into .demo/venv" >&2
"$root/scripts/install-wheel.sh" "$uv" "$python" "$root/.demo"

# An empty directory and no PYTHONPATH: what runs is the wheel, never the sources.
empty=$(mktemp -d)
trap 'rm -rf "$empty"' EXIT
cd "$empty"
unset PYTHONPATH
echo "-- talkie demo $*" >&2
"$root/.demo/venv/bin/talkie" demo --output "$root/.demo/speech" "$@"
