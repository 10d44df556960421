#!/usr/bin/env bash
# Fills a folder with all the wheels that an image is built from, for a build without a network:
#   podman build --build-context wheels=FOLDER ...
# usage: wheels.sh FOLDER [cuda]    (PYTHON: which Python has pip here; PYTHON_VERSION: that of the image, 3.11)
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$1 python=${PYTHON:-python3} version=${PYTHON_VERSION:-3.11} work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$folder"
"$root/scripts/get-uv.sh" "$python" "$work/uv" >&2
(cd "$root" && "$work/uv/bin/uv" export --quiet --frozen --no-dev --no-emit-project --no-header) >"$work/locked.txt"
lists=("$work/locked.txt" "$root/scripts/uv.txt" "$root/scripts/build.txt")
[ "${2:-}" = cuda ] && lists+=("$root/deploy/container/cuda.txt")
for list in "${lists[@]}"; do
    "$python" -m pip download --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all: \
        --python-version "$version" --dest "$folder" -r "$list"
done
echo "$(find "$folder" -name '*.whl' | wc -l) wheels, $(du -sm "$folder" | cut -f1) MB" >&2
