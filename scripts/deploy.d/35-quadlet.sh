#!/usr/bin/env bash
# The quadlet, with and without its drop-in for a GPU, becomes a service by Podman's own generator.
# shellcheck source-path=SCRIPTDIR source=00-lib.sh
. "$(dirname "$0")/00-lib.sh"

generator=${QUADLET_GENERATOR:-/usr/lib/systemd/system-generators/podman-system-generator}
[ -x "$generator" ] || skip "this Podman has no quadlets (5 or later has)"
files=$work/quadlets
mkdir "$files"
cp "$root"/deploy/container/talkie.{container,volume} "$files"

# Leaves in $work/started the line that starts the container.
generate() {
    QUADLET_UNIT_DIRS=$files "$generator" --dryrun >"$work/units" 2>"$work/complaints" || return 1
    grep '^ExecStart=.* run ' "$work/units" >"$work/started"
}
says() { grep -qF -- "$1" "$work/started"; }

check "the quadlet is understood" generate
for words in "--read-only " "--read-only-tmpfs=false" "--cap-drop all" "--user 10001:10001" "--publish 127.0.0.1:8000:8000" \
    "no-new-privileges" "talkie:/data" "target=TALKIE_API_KEY" '--health-cmd "[\"python3\"'; do
    check "it says $words" says "$words"
done
mkdir "$files/talkie.container.d"
cp "$root/deploy/container/talkie-gpu.conf" "$files/talkie.container.d"
check "its drop-in is understood" generate
check "and adds the GPU" says "--device nvidia.com/gpu=all"
check "in the image for GPUs" says "localhost/talkie:cuda"
