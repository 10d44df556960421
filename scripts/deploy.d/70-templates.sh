#!/usr/bin/env bash
# The templates of vast.ai and RunPod with their variables in a container: key, address, conversation, a volume that stays.
# shellcheck source-path=SCRIPTDIR source=00-lib.sh
. "$(dirname "$0")/00-lib.sh"
# shellcheck source-path=SCRIPTDIR source=image.sh
. "$(dirname "$0")/image.sh"

need "$podman"
image_or_skip
# What the services run as: root's volumes, models that are not fetched here, and an outside that is this machine.
name=talkie-rented-$$
rented=localhost/talkie-deploy:rented-$$ with_shell=localhost/talkie-deploy:shell-$$
at_exit "$podman rm --force $name >/dev/null 2>&1"

rent() { # IMAGE NEW: the rented image on top of that one
    "$podman" build --quiet --format docker --build-arg IMAGE="$1" --tag "$2" "$root/deploy/rented" >/dev/null
    at_exit "$podman rmi --force $2 >/dev/null 2>&1"
}

fields() { # vast|runpod: the template as words for podman, one a line; -v V.ID is the volume of this test
    "${PYTHON:-python3}" - "$root/deploy/$1/template.json" "$volume" "$port" <<'PY'
import json, shlex, sys

path, volume, port = sys.argv[1:]
template = json.load(open(path))
if isinstance(template["env"], dict):
    print("-v", f"{volume}:{template['volumeMountPath']}", sep="\n")
    for name, value in template["env"].items():
        print("-e", f"{name}={value}", sep="\n")
    for line in template["ports"]:
        print("-p", f"127.0.0.1:{port}:{line.split('/')[0]}", sep="\n")
else:
    words = shlex.split(template["env"])
    for flag, value in zip(words[::2], words[1::2]):
        print(flag, f"127.0.0.1:{port}:{value.split(':')[1]}" if flag == "-p" else value, sep="\n")
    print("-v", f"{volume}:/data", sep="\n")
PY
}

log() { "$podman" logs "$name" 2>&1; }
from_log() { # PATTERN: what it says once it says it
    for _ in $(seq 600); do
        if log | sed -nE "s/$1/\\1/p" | grep -m 1 .; then return 0; fi
        sleep 0.1
    done
    log >&2
    return 1
}

# The server's own words lead to it: its address and its key, as somebody who rents it would find them.
visit() { # START
    local address key
    address=$(from_log '^talkie: the server is at (.*)$')
    key=$(from_log '^talkie: a key was made, and is shown this once: (tk_.*)$')
    say "$address"
    wait_ready "$url" 120 >/dev/null
    check "a stranger is refused" [ "$(status_of "$url/v1/models")" -eq 401 ]
    converses "$url" "$key"
    check "the server is not root" "$podman" exec "$name" python3 -c \
        'import glob; ids = {open(f"{p}/status").read().split("Uid:\t")[1].split()[0] for p in glob.glob("/proc/[0-9]*") if b"talkie\0serve" in open(f"{p}/cmdline", "rb").read()}; raise SystemExit(ids != {"10001"})'
    again "$1" "$key"
}

# A new container with the old volume.
again() { # START KEY
    "$podman" stop --time 40 "$name" >/dev/null
    "$podman" rm "$name" >/dev/null
    "$1"
    note restart_ready_ms "$(wait_ready "$url" 120)"
    check "a new container with the old volume knows the key" [ "$(status_of "$url/v1/models" "$2")" -eq 200 ]
    check "and shows no other" bash -c "! $podman logs $name 2>&1 | grep -q 'a key was made'"
    "$podman" rm --force --time 40 "$name" >/dev/null
}

fresh_volume() {
    volume=$name-$1 port=$(free_port)
    "$podman" volume create "$volume" >/dev/null
    at_exit "$podman volume rm --force $volume >/dev/null 2>&1"
}

say "RunPod: the image's own entrypoint, a network volume at /workspace, a proxy that takes TLS off"
rent "$image" "$rented"
fresh_volume runpod
url=http://127.0.0.1:$port
start_runpod() {
    local words
    mapfile -t words < <(fields runpod)
    "$podman" run --detach --name "$name" "${words[@]}" -e TALKIE_PULL= -e RUNPOD_POD_ID=abc123 "$rented" >/dev/null
}
start_runpod
check "RunPod: the log names the proxy's address" [ "$(from_log '^talkie: the server is at (.*)$')" = https://abc123-8000.proxy.runpod.net ]
wait_ready "$url" 120 >/dev/null
check "RunPod: the proxy's name is known" [ "$(HOST_HEADER=abc123-8000.proxy.runpod.net status_of "$url/healthz")" -eq 200 ]
check "RunPod: another name is not" [ "$(HOST_HEADER=evil.example status_of "$url/v1/models")" -ne 200 ]
visit start_runpod

say "vast.ai: launch mode ssh, the on-start script, a port with another number outside, TLS of its own"
packages=$store/image-wheels
[ -d "$packages" ] || packages=
RUN=${SHELL_IMAGE:-localhost/talkie-build:bookworm} WHEELS=$packages "$root/deploy/container/build.sh" cpu "$with_shell" >/dev/null
at_exit "$podman rmi --force $with_shell >/dev/null 2>&1"
rent "$with_shell" "$rented-shell"
fresh_volume vast
url=https://127.0.0.1:$port
on_start=$("${PYTHON:-python3}" -c 'import json, sys; print(json.load(open(sys.argv[1]))["onstart"])' "$root/deploy/vast/template.json")
start_vast() {
    local words
    mapfile -t words < <(fields vast)
    # Somebody else's program is the first process; it runs the on-start script and stays.
    "$podman" run --detach --name "$name" "${words[@]}" -e TALKIE_PULL= -e PUBLIC_IPADDR=127.0.0.1 \
        -e VAST_TCP_PORT_8000="$port" --entrypoint /bin/bash "$rented-shell" -c "$on_start"$'\nexec sleep infinity' >/dev/null
}
start_vast
check "vast.ai: the log names the port outside" [ "$(from_log '^talkie: the server is at (.*)$')" = "$url" ]
visit start_vast
