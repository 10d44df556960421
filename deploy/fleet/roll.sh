#!/usr/bin/env bash
# What the play does on a server; it runs by hand too. ROOT holds releases/NAME, the link `current`, and `previous`.
#   roll.sh check  ROOT                        is there what is needed, and room for another release?
#   roll.sh unpack ROOT ARCHIVE SHA256 NAME    into releases/NAME, which is there whole or not at all
#   roll.sh switch ROOT NAME                   current points at it from now on
#   roll.sh ready  URL SECONDS                 wait until URL/readyz answers 200
#   roll.sh back   ROOT                        current points at what it pointed at before the last switch
#   roll.sh tidy   ROOT KEPT                   remove all but the newest KEPT releases beside the one that runs
set -euo pipefail
ROOM_MB=900 # the archive, the folder and the one before it

die() {
    echo "error: $1" >&2
    [ -z "${2:-}" ] || echo "hint: $2" >&2
    exit 1
}

check() {
    for program in tar zstd sha256sum; do
        command -v "$program" >/dev/null || die "$program is not here." "Install it: apt-get install tar zstd coreutils"
    done
    mkdir -p "$1/releases"
    local free
    free=$(df --output=avail --block-size=1M "$1" | tail -n 1)
    [ "$free" -ge "$ROOM_MB" ] || die "$1 has room for $((free)) MB; a release wants $ROOM_MB." "roll.sh tidy $1 0"
}

unpack() {
    local root=$1 archive=$2 sum=$3 name=$4
    echo "$sum  $archive" | sha256sum --check --quiet - >&2 || die "the archive is not the one that was sent."
    if [ ! -d "$root/releases/$name" ]; then
        local new=$root/releases/.$name
        rm -rf "$new"
        mkdir -p "$new"
        tar --extract --zstd --file "$archive" --strip-components 1 --directory "$new"
        mv -T "$new" "$root/releases/$name"
    fi
    rm -f "$archive"
}

point() { # ROOT TARGET: in one step, so that there is always a `current`
    ln -s "$2" "$1/.current.$$"
    mv -T "$1/.current.$$" "$1/current"
}

switch() {
    local root=$1 target=releases/$2 before
    [ -x "$root/$target/talkie" ] || die "$root/$target holds no Talkie."
    before=$(readlink "$root/current" || true)
    [ "$before" = "$target" ] || printf '%s\n' "$before" >"$root/previous"
    point "$root" "$target"
}

back() {
    local before
    before=$(cat "$1/previous" 2>/dev/null || true)
    if [ -n "$before" ]; then point "$1" "$before"; else rm -f "$1/current"; fi
}

ready() {
    local until=$((SECONDS + $2))
    while ((SECONDS < until)); do
        if [ "$(status "$1")" = 200 ]; then return; fi
        sleep 0.5
    done
    die "$1/readyz did not answer 200 within $2 s." "journalctl -u talkie says why."
}

status() { # of URL/readyz: by curl where it is, else by bash itself, which knows no TLS
    local rest=${1#http://} host port line
    if command -v curl >/dev/null; then
        curl --silent --insecure --max-time 5 --output /dev/null --write-out '%{http_code}' "$1/readyz" || true
        return
    fi
    [ "$rest" != "$1" ] || die "$1 needs curl, which is not here."
    host=${rest%%[:/]*} port=${rest#"$host"}
    port=${port#:} port=${port%%/*}
    (
        exec 3<>"/dev/tcp/$host/${port:-80}"
        printf 'GET /readyz HTTP/1.0\r\nHost: %s\r\n\r\n' "$host" >&3
        read -r -t 5 line <&3
        printf '%s' "$line" | cut -d ' ' -f 2
    ) 2>/dev/null || true
}

tidy() {
    local root=$1 kept=$2 runs name
    runs=$(readlink "$root/current" || true)
    find "$root/releases" -mindepth 1 -maxdepth 1 -name '.*' -exec rm -rf {} +
    while read -r name; do rm -rf "$root/releases/$name"; done < <(
        find "$root/releases" -mindepth 1 -maxdepth 1 -type d -printf '%T@ %f\n' | sort -rn | cut -d ' ' -f 2- |
            grep -vxF "${runs#releases/}" | tail -n "+$((kept + 1))"
    )
}

case ${1:-} in
    check | unpack | switch | ready | back | tidy) "$@" ;;
    *) sed -n '2,9s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
esac
