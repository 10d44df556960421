#!/usr/bin/env bash
# Builds the wheel and installs it, with the locked versions of everything it needs, the way a user would have it.
# usage: install-wheel.sh UV PYTHON DIR    (leaves DIR/dist/talkie-*.whl and DIR/venv/bin/talkie)
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
uv=$1 python=$2
mkdir -p "$3"
dir=$(cd "$3" && pwd)

rm -rf "$dir/dist"
"$uv" build --quiet --wheel --out-dir "$dir/dist" --python "$python" \
    --build-constraints "$root/scripts/build.txt" --require-build-hashes "$root"
(cd "$root" && "$uv" export --quiet --frozen --no-dev --no-emit-project --no-header >"$dir/requirements.txt")
[ -x "$dir/venv/bin/python" ] || "$uv" venv --quiet --python "$python" "$dir/venv"
"$uv" pip sync --quiet --python "$dir/venv" --require-hashes "$dir/requirements.txt"
"$uv" pip install --quiet --python "$dir/venv" --no-deps "$dir"/dist/talkie-*.whl
