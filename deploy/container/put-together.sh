#!/usr/bin/env bash
# Puts together what an image holds, in two steps: the locked packages, by hash and slimmed; then Talkie.
# usage: put-together.sh packages|talkie cpu|cuda OUT    (leaves OUT/opt/talkie and an empty OUT/data)
# Runs in the build image. With wheels in /wheels nothing is fetched from anywhere.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
step=$1 form=$2 out=$3
site=$out/opt/talkie/lib tools=/tmp/tools
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore

packages() {
    mkdir -p "$site" "$out/data/tmp"
    if compgen -G "/wheels/*.whl" >/dev/null; then
        export PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels
    fi
    local install=(python3 -m pip install --quiet --no-compile --require-hashes --no-deps --only-binary :all:)
    "${install[@]}" --target "$tools" -r "$root/scripts/uv.txt" -r "$root/scripts/build.txt"
    (cd "$root" && "$tools/bin/uv" export --quiet --frozen --no-dev --no-emit-project --no-header) >/tmp/locked.txt
    "${install[@]}" --target "$site" -r /tmp/locked.txt
    if [ "$form" = cuda ]; then
        "${install[@]}" --target "$site" -r "$root/deploy/container/cuda.txt"
    fi
    rm -rf "${site:?}/bin"
    python3 "$root/deploy/slim/slim.py" "$site" --form "$form" --bytecode >&2
}

# Talkie keeps its sources beside what was compiled: it starts a worker by the path of its file.
talkie() {
    PYTHONPATH=$tools python3 -m pip wheel --quiet --no-build-isolation --no-deps --wheel-dir /tmp "$root"
    python3 -m pip install --quiet --no-index --no-deps --no-compile --target /tmp/talkie /tmp/talkie-*.whl
    cp -r /tmp/talkie/talkie /tmp/talkie/talkie-*.dist-info "$site"
    printf '{"commit": "%s", "form": "container-%s"}\n' "${REVISION:-unknown}" "$form" >"$site/talkie/build.json"
    python3 -m compileall -q -s "$out" "$site/talkie"
    cp "$root/deploy/container/health.py" "$root/LICENSE" "$out/opt/talkie"
    du -sm "$out/opt/talkie" >&2
}

case $step in
packages | talkie) "$step" ;;
*)
    echo "error: '$step' is neither packages nor talkie." >&2
    exit 2
    ;;
esac
