#!/usr/bin/env bash
# Renews the small lock files beside uv.lock: uv itself, and what the wheel and the one folder are made with.
# usage: lock.sh UV
set -euo pipefail
uv=$1
cd "$(dirname "$0")"
renew() { # file, requirement, comment
    { echo "# $3, by hash. Renew with: make lock"; echo "$2" |
        "$uv" pip compile - --quiet --no-header --universal --python-version 3.11 --generate-hashes; } >"$1.new"
    mv "$1.new" "$1"
}
renew uv.txt uv "The one version of uv that the Makefile brings in"
renew build.txt hatchling "What the wheel is built with"
renew ../deploy/bundle/pyinstaller.txt pyinstaller "What the one folder is put together with"
