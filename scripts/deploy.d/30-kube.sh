#!/usr/bin/env bash
# `podman kube play` of deploy/kube.yaml: a pod with a volume and a secret, the conversation, an orderly end.
# shellcheck source-path=SCRIPTDIR source=00-lib.sh
. "$(dirname "$0")/00-lib.sh"
# shellcheck source-path=SCRIPTDIR source=image.sh
. "$(dirname "$0")/image.sh"

need "$podman" catatonit
image_or_skip
[ -z "$("$podman" volume ls --quiet --filter name=^talkie$)" ] || skip "there is a volume named talkie already, which is not ours to use"
key=$(new_key) port=$(free_port)
url=http://127.0.0.1:$port
# As it is delivered, but for what a test must not do: pull a model, take a name or a port that others use.
sed -e "s|localhost/talkie:cpu|$image|" -e 's/value: whisper-base/value: ""/' -e "s/name: talkie-key, key: key/name: talkie-key-$$, key: key/" \
    -e "/containerPort: 8000/s/}/, hostPort: $port, hostIP: 127.0.0.1}/" "$root/deploy/kube.yaml" >"$work/kube.yaml"

at_exit "$podman secret rm talkie-key-$$ >/dev/null 2>&1"
at_exit "$podman volume rm --force talkie >/dev/null 2>&1"
at_exit "$podman kube down '$work/kube.yaml' >/dev/null 2>&1"
say "playing the pod"
# Podman before 4.4 reads a secret of its own kind there, later ones that of Kubernetes.
if "$podman" version --format '{{.Client.Version}}' | grep -Eq '^4\.[0-3]\.'; then
    printf '{"key": "%s"}' "$(printf '%s' "$key" | base64 -w0)" | "$podman" secret create "talkie-key-$$" - >/dev/null
else
    printf 'apiVersion: v1\nkind: Secret\nmetadata: {name: talkie-key-%s}\ndata: {key: "%s"}\n' "$$" \
        "$(printf '%s' "$key" | base64 -w0)" | "$podman" kube play - >&2
fi
"$podman" kube play "$work/kube.yaml" >&2
note ready_ms "$(wait_ready "$url" 120)"
check "a stranger is refused" [ "$(status_of "$url/v1/models")" -eq 401 ]
converses "$url" "$key"
container=$("$podman" ps --format '{{.Names}}' --filter ancestor="$image" --filter name=talkie-pod | head -1)
check "it is nobody" "$podman" exec "$container" python3 -c 'import os; raise SystemExit(os.getuid() != 10001)'
check "it has no capability" "$podman" exec "$container" python3 -c 'raise SystemExit("CapEff:\t0000000000000000\n" not in open("/proc/1/status"))'
check "its root cannot be written" "$podman" exec "$container" python3 -c '
try:
    open("/opt/x", "w")
except OSError:
    raise SystemExit(0)
raise SystemExit(1)'
"$podman" kube down "$work/kube.yaml" >&2
check "it is gone" [ -z "$("$podman" ps --all --quiet --filter name=talkie-pod)" ]
