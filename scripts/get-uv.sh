#!/usr/bin/env bash
# Brings the pinned uv into a private directory with nothing but Python and pip.
# usage: get-uv.sh PYTHON DIR    (leaves DIR/bin/uv)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=$1 dir=$2

command -v "$python" >/dev/null || {
    echo "error: '$python' is not here." >&2
    echo "hint: install Python 3.11 or later, or name one: make PYTHON=python3.12 setup" >&2
    exit 1
}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "error: '$python' is $("$python" --version 2>&1); Talkie needs Python 3.11 or later." >&2
    echo "hint: name a newer one: make PYTHON=python3.12 setup" >&2
    exit 1
}

pip_install=(-m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r "$here/uv.txt")
rm -rf "$dir"
if "$python" -c 'import ensurepip' 2>/dev/null; then
    "$python" -m venv "$dir"
    "$dir/bin/python" "${pip_install[@]}"
elif "$python" -m pip --version >/dev/null 2>&1; then
    # Debian keeps ensurepip in python3-venv. pip alone is enough: uv is one binary.
    "$python" "${pip_install[@]}" --target "$dir"
else
    echo "error: '$python' has neither ensurepip nor pip." >&2
    echo "hint: apt-get install python3-venv (or python3-pip), or give a uv of your own: make UV=/path/to/uv setup" >&2
    exit 1
fi
test -x "$dir/bin/uv"
