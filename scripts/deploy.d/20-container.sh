#!/usr/bin/env bash
# A container without root, rights or a writable root: its size, its key, the conversation, an orderly end, a new start.
# shellcheck source-path=SCRIPTDIR source=00-lib.sh
. "$(dirname "$0")/00-lib.sh"
# shellcheck source-path=SCRIPTDIR source=image.sh
. "$(dirname "$0")/image.sh"
MAX_IMAGE_MB=400

need "$podman"
image_or_skip
name=talkie-deploy-$$ volume=talkie-deploy-$$
port=$(free_port) key=$(new_key)
url=http://127.0.0.1:$port
"$podman" volume create "$volume" >/dev/null
at_exit "$podman volume rm --force $volume >/dev/null 2>&1"
at_exit "$podman rm --force $name >/dev/null 2>&1"
confined=(--read-only --read-only-tmpfs=false --cap-drop all --security-opt no-new-privileges --pids-limit 512 --volume "$volume:/data")

start() { "$podman" run --detach --name "$name" "${confined[@]}" -p "127.0.0.1:$port:8000" -e TALKIE_API_KEY="$key" "$image" >/dev/null; }
inside() { "$podman" exec --interactive "$name" python3 "$@"; }
exit_code() { "$podman" wait "$name"; }

image_mb=$((image_bytes / 1000000))
note image_mb "$image_mb"
check "the image is at most $MAX_IMAGE_MB MB ($image_mb)" [ "$image_mb" -le "$MAX_IMAGE_MB" ]

status=0
"$podman" run --rm "${confined[@]}" "$image" >"$work/refused" 2>&1 || status=$?
check "without a key it ends with 2" [ "$status" -eq 2 ]
check "and says how one is given" grep -q "TALKIE_API_KEY" "$work/refused"

say "starting"
start
note ready_ms "$(wait_ready "$url" 120)"
check "a stranger is refused" [ "$(status_of "$url/v1/models")" -eq 401 ]
converses "$url" "$key"
check "it is nobody" inside -c 'import os; raise SystemExit(os.getuid() != 10001)'
check "it has no capability" inside -c 'raise SystemExit("CapEff:\t0000000000000000\n" not in open("/proc/1/status"))'
inside -IS /opt/talkie/health.py >"$work/health" || true
check "the health check says so" grep -q '^200 ' "$work/health"
inside - <"$root/scripts/deploy.d/writable.py" >"$work/writable" || true
check "nothing can be written but /data ($(paste -sd' ' "$work/writable"))" [ "$(cat "$work/writable")" = /data ]

say "a request is under way when it is told to stop"
long=$(printf 'The room is full of people and all of them have something to say. %.0s' {1..40})
printf '{"model": "tts-1", "input": "%s", "response_format": "wav"}' "$long" >"$work/wish.json"
TALKIE_KEY=$key "${PYTHON:-python3}" "$root/scripts/deploy.d/drained.py" "$url" "$work/wish.json" "$podman" "$name" >"$work/drained" && drained=1 || drained=0
check "what was accepted is finished after SIGTERM ($(cat "$work/drained"))" [ "$drained" -eq 1 ]
check "it ends with 0" [ "$(exit_code)" -eq 0 ]

say "starting again, with the same volume"
"$podman" rm "$name" >/dev/null
start
note again_ready_ms "$(wait_ready "$url" 60)"
converses "$url" "$key"
