#!/usr/bin/env bash
# Installs Talkie in a Debian system with systemd, an LXC container for example, or puts a newer one in its place.
# Everything is below /opt/talkie: each version in releases/N, `current` a link to the one in force. Models, keys and
# certificates are in /var/lib/talkie, which may be a mount point, and no version ever touches them.
# usage: talkie-install.sh install | update
#   var_source   what pip installs: talkie, talkie==1.2.0, a wheel                    (talkie)
#   var_wheels   a folder of wheels and their requirements.txt with hashes: nothing is fetched   (none)
# and at the first start, after which they are lines of /etc/talkie/talkie.env:
#   var_port     the port that the network sees                                       (8000)
#   var_tls      self-signed, or off behind a proxy that speaks HTTPS                 (self-signed)
#   var_pull     models to fetch, like whisper-base                                   (none)
set -euo pipefail
source_=${var_source:-talkie} wheels=${var_wheels:-}
base=/opt/talkie state=/var/lib/talkie environment=/etc/talkie/talkie.env backups=/var/backups/talkie
kept=2 # versions, and as many copies of the settings

msg_info() { printf ' - %s\n' "$*" >&2; }
msg_ok() { printf ' ✓ %s\n' "$*" >&2; }
msg_error() { printf ' ✗ %s\n' "$*" >&2; }
give_up() { # WHAT HINT
    msg_error "$1"
    printf 'hint: %s\n' "$2" >&2
    exit 1
}

talkie() { "$base/current/bin/talkie" "$@"; }

packages() {
    command -v systemctl >/dev/null || give_up "there is no systemd here" "use a container image, or the folder of make bundle"
    python3 -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && return
    msg_info "installing Python"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends python3 python3-venv ca-certificates >/dev/null
}

# A new version beside the one in force. Prints its directory; leaves nothing when it fails.
release() {
    local number=1 directory
    while [ -e "$base/releases/$number" ]; do number=$((number + 1)); done
    directory=$base/releases/$number
    msg_info "installing $source_ into $directory"
    mkdir -p "$base/releases"
    if ! { python3 -m venv "$directory" && fill "$directory"; } >&2; then
        rm -rf "$directory"
        give_up "it could not be installed; nothing was changed" "see pip's words above"
    fi
    printf '%s\n' "$directory"
}

fill() { # DIRECTORY
    local pip=("$1/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir)
    if [ -n "$wheels" ]; then
        "${pip[@]}" --no-index --find-links "$wheels" --no-deps --require-hashes -r "$wheels/requirements.txt" &&
            "${pip[@]}" --no-index --no-deps "$wheels"/talkie-*.whl
    else
        "${pip[@]}" "$source_"
    fi
}

take() { # DIRECTORY: it is the one in force from now on
    ln -sfn "$1" "$base/current.new"
    mv -T "$base/current.new" "$base/current"
}

service() { # the unit, written by the version in force; started, and waited for until it is ready
    talkie service install --system --yes >&2
}

# The settings of a first installation. An environment file that is there, from a container before, stays as it is.
settings() {
    [ ! -e "$environment" ] || return 0
    mkdir -p "$(dirname "$environment")"
    (
        umask 077
        printf 'TALKIE_HOST=0.0.0.0\nTALKIE_PORT=%s\nTALKIE_TLS=%s\n' "${var_port:-8000}" "${var_tls:-self-signed}" >"$environment"
        [ -z "${var_pull:-}" ] || printf 'TALKIE_PULL="%s"\n' "$var_pull" >>"$environment"
    )
}

# The network sees the server, so it needs a key before it starts; systemd hands the directory to the server's user.
# A mount point with keys, from a container before, has its own.
first_key() {
    if [ -s "$state/keys.toml" ]; then
        msg_ok "the keys on $state stay in force"
        return
    fi
    mkdir -p "$state"
    local key
    key=$(TALKIE_HOME=$state talkie keys add owner --scope transcribe --scope speak --scope animate --scope models:read 2>/dev/null)
    msg_ok "a key was made, and is shown this once: $key"
}

# `talkie` for people: as the server's user and with its home, so that files of both belong to one.
command_for_people() {
    cat >/usr/local/bin/talkie <<'WRAPPER'
#!/bin/sh
export TALKIE_HOME=/var/lib/talkie
if [ "$(id -u)" -ne 0 ] || [ "${1:-}" = service ]; then exec /opt/talkie/current/bin/talkie "$@"; fi
exec runuser -u talkie -- /opt/talkie/current/bin/talkie "$@"
WRAPPER
    chmod 755 /usr/local/bin/talkie
}

# The newest few stay, and whatever is in force.
tidy() {
    local in_force old
    in_force=$(readlink -f "$base/current")
    find "$base/releases" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort -n | head -n "-$kept" | while read -r old; do
        [ "$base/releases/$old" = "$in_force" ] || rm -rf "${base:?}/releases/$old"
    done
}

# Settings, keys and certificates; never the models, which can be had again.
backup() {
    local file files
    mkdir -p "$backups" && chmod 700 "$backups" || return
    file=$backups/$(date -u +%Y%m%dT%H%M%SZ).tar.gz
    mapfile -t files < <(
        shopt -s nullglob
        cd / && printf '%s\n' etc/talki[e] "${state#/}"/*.toml "${state#/}"/lexicon.* "${state#/}"/*.pem "${state#/}"/tl[s] etc/systemd/system/talkie.service*
    )
    (umask 077 && tar -C / -czf "$file" "${files[@]}") || return
    find "$backups" -name '*.tar.gz' | sort | head -n "-$kept" | xargs -r rm -f
    msg_ok "settings and keys are copied to $file"
}

install() {
    [ ! -e "$base/current" ] || give_up "Talkie is here already" "$0 update"
    packages
    local new
    new=$(release)
    take "$new"
    settings
    first_key
    service
    command_for_people
    msg_ok "$(talkie --version) is ready on port $(sed -n 's/^TALKIE_PORT=//p' "$environment")"
}

update() {
    [ -e "$base/current" ] || give_up "there is no Talkie in $base" "$0 install"
    local before new
    before=$(readlink -f "$base/current")
    new=$(release)
    msg_info "stopping"
    systemctl stop talkie
    if ! backup; then
        systemctl start talkie
        rm -rf "$new"
        give_up "settings could not be copied; the version before runs on" "is there room in $backups?"
    fi
    take "$new"
    if ! service; then
        msg_error "the new version does not get ready: the one before is put back"
        take "$before"
        service
        rm -rf "$new"
        exit 1
    fi
    tidy
    msg_ok "$(talkie --version) is ready; the version before is kept in $before"
}

case ${1:-} in
    install | update) "$1" ;;
    *) sed -n '2,11s/^# //p' "$0" >&2 && exit 2 ;;
esac
