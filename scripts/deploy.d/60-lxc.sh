#!/usr/bin/env bash
# Debian with systemd in an unprivileged LXC container, made by the Proxmox installer: conversation, update, a way back.
# shellcheck source-path=SCRIPTDIR source=00-lib.sh
. "$(dirname "$0")/00-lib.sh"

need lxc-start lxc-attach mmdebstrap
[ "$(id -u)" -eq 0 ] || skip "it takes root to start a container with systemd"
SUITE=bookworm VERSION=12 PYTHON_THERE=3.11
ours=$("${PYTHON:-python3}" -c 'import sys; print("{}.{}".format(*sys.version_info))')
[ "$ours" = "$PYTHON_THERE" ] || skip "the wheels are for Python $ours, and Debian $VERSION has $PYTHON_THERE"
export LXC_TEMPLATE=$store/debian-$VERSION-standard_0_amd64.tar LXC_PATH=$work/lxc
PATH=$root/scripts/deploy.d/proxmox:$PATH
id=9000 port=8123
url=https://127.0.0.1:$port
if [ ! -e "$LXC_TEMPLATE" ]; then
    say "making a template of Debian $VERSION"
    mmdebstrap --quiet --variant=minbase --include=systemd,systemd-sysv,dbus,ca-certificates,python3,python3-venv \
        "$SUITE" "$LXC_TEMPLATE.part" "${MIRROR:-http://deb.debian.org/debian}" >&2
    mv "$LXC_TEMPLATE.part" "$LXC_TEMPLATE"
fi
packages=$(wheels)
mkdir -p "$LXC_PATH" && chmod 711 "$work"
at_exit "lxc-stop -P '$LXC_PATH' -n $id --kill 2>/dev/null"

installer() { var_port=$port var_wheels=$packages "$root/deploy/proxmox/talkie.sh" "$@" >>"$work/log" 2>&1; }
inside() { pct exec "$id" -- "$@"; }

# A wheel whose server ends as soon as it is started.
break_wheel() { # FOLDER
    "${PYTHON:-python3}" - "$1"/talkie-*.whl <<'PY'
import sys, zipfile

path = sys.argv[1]
with zipfile.ZipFile(path) as wheel:
    files = {name: wheel.read(name) for name in wheel.namelist()}
files["talkie/server.py"] = b"raise SystemExit(3)\n"
with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
    for name, data in files.items():
        wheel.writestr(name, data)
PY
}

# From here on it is asked from inside: the container has a network of its own, and nobody else is in it.
reference >/dev/null
client() { inside env TALKIE_KEY="${TALKIE_KEY:-}" python3 /root/conversation.py "$@"; }
wait_ready() { client ready "$1" "${2:-60}"; }
status_of() { TALKIE_KEY=${2:-} client status "$1"; }
conversation() { TALKIE_KEY=${2:-} client talk "$1"; }

say "installing"
began=$SECONDS
installer || { cat "$work/log" >&2 && fail "the installer" && exit 1; }
note install_s $((SECONDS - began))
ok "the installer"
pct push "$id" "$root/scripts/deploy.d/conversation.py" /root/conversation.py --perms 0644
key=$(sed -nE 's/^.*(tk_[A-Za-z0-9_-]{20,}).*$/\1/p' "$work/log" | head -n 1)
check "a key was made and shown" [ -n "$key" ]
wait_ready "$url" 120 >/dev/null
check "a stranger is refused" [ "$(status_of "$url/v1/models")" -eq 401 ]
converses "$url" "$key"
check "systemd runs it" inside systemctl --quiet is-active talkie
check "it is not root" [ "$(inside systemctl show --property User --value talkie)" = talkie ]
check "what is kept is on the mount point" test -f "$LXC_PATH/$id/mp0/keys.toml"
note memory_mb $(($(inside systemctl show --property MemoryCurrent --value talkie) / 1000000))
note installed_mb "$(inside du -sm /opt/talkie | cut -f 1)"

say "updating"
installer update "$id" && updated=1 || updated=0
check "the update" [ "$updated" -eq 1 ]
check "the same key opens the new version" [ "$(status_of "$url/v1/models" "$key")" -eq 200 ]
tar -tzf "$LXC_PATH/$id"/rootfs/var/backups/talkie/*.tar.gz >"$work/backup"
check "keys and settings were backed up" grep -q -e keys.toml -e talkie.env "$work/backup"
check "two versions are kept" [ "$(inside ls /opt/talkie/releases | wc -l)" -eq 2 ]

say "a version that does not start"
broken=$work/broken
mkdir -p "$broken" && cp "$packages"/* "$broken"
break_wheel "$broken"
packages=$broken
if installer update "$id"; then fail "a broken version was taken"; else ok "a broken version is not taken"; fi
wait_ready "$url" 120 >/dev/null
check "the version before is in force" [ "$(status_of "$url/v1/models" "$key")" -eq 200 ]
[ "$failed" -eq 0 ] || tail -n 60 "$work/log" >&2
