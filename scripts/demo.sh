#!/usr/bin/env bash
# Builds the wheel, installs it the way a user would, and runs `talkie demo` where the checkout cannot be seen.
# usage: demo.sh UV PYTHON [arguments for talkie demo]
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
uv=$1 python=$2
shift 2
demo=$root/.demo
say() { printf '%s\n' "-- $*" >&2; }

mkdir -p "$demo"
say "building the wheel"
rm -rf "$demo/dist"
"$uv" build --quiet --wheel --out-dir "$demo/dist" --python "$python" \
    --build-constraints "$root/scripts/build.txt" --require-build-hashes "$root"

say "installing it with the locked versions into .demo/venv"
(cd "$root" && "$uv" export --quiet --frozen --no-dev --no-emit-project --no-header >"$demo/requirements.txt")
[ -x "$demo/venv/bin/python" ] || "$uv" venv --quiet --python "$python" "$demo/venv"
"$uv" pip sync --quiet --python "$demo/venv" --require-hashes "$demo/requirements.txt"
"$uv" pip install --quiet --python "$demo/venv" --no-deps "$demo"/dist/talkie-*.whl

# An empty directory and no PYTHONPATH: what runs is the wheel, never the sources.
empty=$(mktemp -d)
trap 'rm -rf "$empty"' EXIT
cd "$empty"
unset PYTHONPATH
say "talkie demo $*"
"$demo/venv/bin/talkie" demo "$@"
