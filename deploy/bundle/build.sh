#!/usr/bin/env bash
# Makes the one folder and its archive: Talkie for machines without Python.
# usage: build.sh UV PYTHON [DIR]    (leaves DIR/talkie/talkie and DIR/talkie-VERSION-linux-ARCH.tar.zst; DIR is dist)
# PYTHON must have a shared libpython; the folder runs where the C library is not older than here.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
uv=$1 python=$2
out=${3:-$root/dist}
mkdir -p "$out"
out=$(cd "$out" && pwd)
work=$out/.bundle

"$python" -c 'import sys, sysconfig; sys.exit(not sysconfig.get_config_var("Py_ENABLE_SHARED"))' ||
    [ -n "$(find "$("$python" -c 'import sysconfig; print(sysconfig.get_config_var("LIBDIR"))')" \
        -maxdepth 2 -name 'libpython3*.so.1.0' -print -quit)" ] || {
    echo "error: '$python' has no shared libpython, which the folder needs." >&2
    echo "hint: install libpython3-dev, or name another Python: make PYTHON=/usr/bin/python3 bundle" >&2
    exit 1
}

echo "-- the wheel and the locked versions, in an environment of their own" >&2
"$root/scripts/install-wheel.sh" "$uv" "$python" "$work"
# From outside the project, whose constraints are not PyInstaller's.
(cd / && "$uv" pip install --quiet --python "$work/venv" --require-hashes --no-deps -r "$here/pyinstaller.txt")

echo "-- the folder" >&2
rm -rf "$out/talkie"
(cd "$work" && "$work/venv/bin/pyinstaller" --noconfirm --log-level ERROR \
    --distpath "$out" --workpath "$work/build" "$here/talkie.spec")
"$python" "$root/deploy/slim/slim.py" "$out/talkie/_internal" --form bundle >&2
commit=$(git -C "$root" rev-parse HEAD 2>/dev/null || true)
printf '{"form": "bundle", "commit": "%s"}\n' "$commit" >"$out/talkie/_internal/talkie/build.json"
find "$out/talkie" -xtype l -delete # links to libraries that were left out

version=$("$work/venv/bin/python" -c 'import talkie; print(talkie.__version__)')
archive=$out/talkie-$version-linux-$(uname -m).tar.zst
echo "-- the archive" >&2
tar --create --sort=name --owner=0 --group=0 --numeric-owner --directory "$out" talkie |
    zstd --quiet --force -T0 -12 -o "$archive"
(cd "$out" && sha256sum "$(basename "$archive")" >"$archive.sha256")
du --summarize --block-size=1MB "$out/talkie" "$archive" >&2
echo "$archive"
