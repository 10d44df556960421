#!/usr/bin/env bash
# The one folder, unpacked on a system without Python: say, transcribe, serve, and the same text as native.
#
# BUNDLE names an archive that was made before; otherwise `make bundle` makes one. BARE_IMAGE names an image
# without Python; otherwise a Debian of the least size is made, as root with mmdebstrap, and kept.
# shellcheck source-path=SCRIPTDIR source=00-lib.sh disable=SC2031
. "$(dirname "$0")/00-lib.sh"
need "$podman" tar zstd
MOST_MB=350
RUNS=${BUNDLE_RUNS:-5}

archive=${BUNDLE:-}
if [ -z "$archive" ]; then
    say "making the folder and its archive: minutes"
    archive=$(make -s -C "$root" bundle)
fi

bare=${BARE_IMAGE:-localhost/talkie-bare}
if ! "$podman" image exists "$bare"; then
    if [ "$bare" != localhost/talkie-bare ]; then
        "$podman" pull --quiet "$bare" >&2 || skip "$bare is not here and cannot be pulled"
    else
        need mmdebstrap
        [ "$(id -u)" -eq 0 ] || skip "to make a system without Python one must be root, or name an image: BARE_IMAGE"
        say "making a system without Python"
        mkdir -p "$store"
        suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-stable}")
        [ -s "$store/bare.tar" ] || mmdebstrap --quiet --variant=minbase "$suite" "$store/bare.tar" >&2 ||
            { rm -f "$store/bare.tar" && skip "mmdebstrap cannot make a system here (is there a network?)"; }
        "$podman" import --quiet "$store/bare.tar" "$bare" >&2
    fi
fi

say "unpacking $(basename "$archive")"
tar --extract --zstd --file "$archive" --directory "$work"
mkdir "$work/home" "$work/out" && chmod 777 "$work/home" "$work/out"
megabytes=$(($(du --summarize --apparent-size --block-size=1000000 "$work/talkie" | cut -f 1)))
note folder_mb "$megabytes"
note archive_mb "$(($(stat -c %s "$archive") / 1000000))"
check "the folder is at most $MOST_MB MB" test "$megabytes" -le "$MOST_MB"

# A system of its own for each call: nobody's rights, nothing to write to but its home and /tmp.
bare() {
    "$podman" run --rm --network host --user 65534:65534 --read-only --tmpfs /tmp --cap-drop all --env HOME=/home \
        --env TALKIE_HOME=/home/talkie --volume "$work/talkie:/opt/talkie:ro" --volume "$work/home:/home" \
        --volume "$work/out:/out" --workdir /out "$@"
}
talkie() { bare "$bare" /opt/talkie/talkie "$@"; }

check "there is no Python there" bare "$bare" sh -c '! command -v python3 && ! ls /usr/lib/python3*' >&2
talkie --version --json >"$work/version.json"
check "it says that it is the one folder" grep -q '"form": "bundle"' "$work/version.json"
check "it speaks into a file" talkie say "We need more time." -o /out/time.wav
heard=$(talkie transcribe /out/time.wav --language en)
natively=$(TALKIE_HOME=$work/native "$(installed)" transcribe "$work/out/time.wav" --language en)
if [ -n "$heard" ] && [ "$heard" = "$natively" ]; then
    ok "it hears in a file what native hears: $heard"
else
    fail "it hears '$heard' in a file; native hears '$natively'"
fi

port=$(free_port)
say "serving"
at_exit "'$podman' rm --force --ignore 'talkie-bundle-$port'"
bare --detach --name "talkie-bundle-$port" "$bare" /opt/talkie/talkie serve --port "$port" --tls off >&2
wait_ready "http://127.0.0.1:$port" >/dev/null
converses "http://127.0.0.1:$port"
check "the page is there" test "$(status_of "http://127.0.0.1:$port/")" = 200
"$podman" stop --time 20 "talkie-bundle-$port" >/dev/null 2>&1 || true

# --- start to ready, one after the other on the machine itself --------------------------------------------------
started() { # NAME PROGRAM: milliseconds until ready, and resident memory in MB; a line into $work/NAME
    local port began pid
    port=$(free_port)
    began=$(date +%s%N)
    TALKIE_HOME=$work/home.$1 "$2" serve --port "$port" --tls off >/dev/null 2>&1 &
    pid=$!
    wait_ready "http://127.0.0.1:$port" >/dev/null
    printf '%s %s\n' $((($(date +%s%N) - began) / 1000000)) "$(awk '/^VmRSS/ {print int($2 / 1000)}' "/proc/$pid/status")" >>"$work/figures.$1"
    kill "$pid"
    wait "$pid" 2>/dev/null || true
}
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
native=$(installed)
for ((run = 0; run <= RUNS; run++)); do
    started native "$native"
    started bundle "$work/talkie/talkie"
    [ "$run" -gt 0 ] || rm "$work/figures.native" "$work/figures.bundle" # the first start of each fills caches
done
for name in native bundle; do
    note "${name}_ready_ms" "$(cut -d ' ' -f 1 "$work/figures.$name" | median)"
    note "${name}_resident_mb" "$(cut -d ' ' -f 2 "$work/figures.$name" | median)"
done
