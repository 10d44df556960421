# shellcheck shell=bash
# shellcheck disable=SC2154
# The image that the forms with containers share. Sourced after 00-lib.sh, never run.

# Sets `image` and `image_bytes`: the one that DEPLOY_IMAGE names, or one that is built now, once a run.
image_or_skip() {
    image=${DEPLOY_IMAGE:-localhost/talkie-deploy:cpu}
    if [ -z "${DEPLOY_IMAGE:-}" ] && [ ! -e "$DEPLOY_RUN/image" ]; then
        bases_or_skip
        say "building the image, from wheels and without a network"
        local folder=$store/image-wheels lock
        lock=$(cat "$root/uv.lock" "$root/scripts/uv.txt" "$root/scripts/build.txt" | sha256sum | cut -c1-16)
        if [ ! -e "$folder/$lock" ]; then
            rm -rf "$folder"
            "$root/deploy/container/wheels.sh" "$folder" >&2
            touch "$folder/$lock"
        fi
        WHEELS=$folder "$root/deploy/container/build.sh" cpu "$image" >/dev/null
        touch "$DEPLOY_RUN/image"
    fi
    image_bytes=$("$podman" image inspect --format '{{.Size}}' "$image")
    export image image_bytes
}

# Bases of one's own by BUILD and RUN, or those made before; else they are made now, where that can be done.
bases_or_skip() {
    [ -z "${RUN:-}" ] || return 0
    if [ -n "$("$podman" images --quiet localhost/talkie-run:bookworm)" ]; then return 0; fi
    if [ "$(id -u)" -ne 0 ] || ! command -v mmdebstrap >/dev/null; then
        skip "no base image: name one (BUILD, RUN), or run deploy/container/base.sh as root"
    fi
    "$root/deploy/container/base.sh" >&2
}
