#!/usr/bin/env bash
# Builds the image with what there is: bases made here or public ones, wheels from a folder or from the index.
# usage: build.sh cpu|cuda [TAG]    (BUILD, RUN: base images; WHEELS: a folder of wheels.sh; PODMAN: another program)
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
form=$1 podman=${PODMAN:-podman}
tag=${2:-localhost/talkie:$form}
version=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' "$root/src/talkie/__init__.py")
revision=$(git -C "$root" rev-parse HEAD 2>/dev/null || echo unknown)
arguments=(--format docker --target "$form" --build-arg "VERSION=$version" --build-arg "REVISION=$revision")

own() { [ -n "$("$podman" images --quiet "localhost/$1:bookworm" 2>/dev/null)" ]; }
if [ -z "${BUILD:-}" ] && own talkie-build; then BUILD=localhost/talkie-build:bookworm; fi
if [ -z "${RUN:-}" ] && own talkie-run; then RUN=localhost/talkie-run:bookworm; fi
[ -z "${BUILD:-}" ] || arguments+=(--build-arg "BUILD=$BUILD")
[ -z "${RUN:-}" ] || arguments+=(--build-arg "RUN=$RUN")
[ -z "${WHEELS:-}" ] || arguments+=(--network none --build-context "wheels=$(realpath "$WHEELS")")
# A proxy that opens connections has a certificate of its own, which pip then has to know.
if [ -z "${WHEELS:-}" ] && [ -n "${PIP_CERT:-}" ]; then
    arguments+=(--volume "$PIP_CERT:/etc/pip-ca.crt:ro" --env PIP_CERT=/etc/pip-ca.crt)
fi
"$podman" build "${arguments[@]}" --file "$root/deploy/container/Containerfile" --tag "$tag" "$root" >&2
"$podman" image inspect --format '{{.Size}}' "$tag"
