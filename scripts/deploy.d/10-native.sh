#!/usr/bin/env bash
# `talkie service` on a Debian with systemd, for the machine and for a user: install, upgrade, failure, end, removal.
# shellcheck source-path=SCRIPTDIR source=00-lib.sh
. "$(dirname "$0")/00-lib.sh"
# shellcheck source-path=SCRIPTDIR source=systemd.sh
. "$(dirname "$0")/systemd.sh"
MAX_EXPOSURE=1.5

need "$podman"
wheels=$(wheels)
port=$(free_port) second=$(free_port)
url=http://127.0.0.1:$port
boot --volume "$wheels:/wheels:ro"
ours=$("${PYTHON:-python3}" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
[ "$(python_inside)" = "$ours" ] || skip "the wheels are for Python $ours, and Debian has $(python_inside)"

talkie() { inside /opt/talkie/bin/talkie "$@"; }
property() { inside systemctl show talkie.service --value --property "$1"; }
refused() { ! "$@"; }
again() { talkie service install --yes >&2; }
files() { inside find /etc/systemd/system /etc/talkie /etc/sysusers.d -type f -name '*talkie*' -exec sha256sum {} + 2>/dev/null | sort || true; }
wait_for() { # PROPERTY VALUE
    for _ in {1..150}; do
        [ "$(property "$1")" != "$2" ] || return 0
        sleep 0.2
    done
    return 1
}

say "installing the wheel"
inside python3 -m venv /opt/talkie >&2
inside /opt/talkie/bin/pip install --quiet --no-index --no-deps --find-links /wheels --require-hashes -r /wheels/requirements.txt >&2
inside sh -c '/opt/talkie/bin/pip install --quiet --no-index --no-deps /wheels/talkie-*.whl' >&2

say "the machine's own"
talkie service install --dry-run >"$work/dry"
check "a dry run shows the unit and writes nothing" [ "$(grep -c 'ProtectSystem=strict' "$work/dry"),$(files)" = 1, ]
check "nothing is done unasked" refused talkie service install
check "a setting that cannot be is refused first" refused talkie service install --yes --set preset=careless
check "and nothing was written" [ -z "$(files)" ]
talkie service install --yes --port "$port" >"$work/address"
check "it prints its address" [ "$(cat "$work/address")" = "$url" ]
converses "$url"
check "settings are for root's eyes" [ "$(inside stat -c '%a %U' /etc/talkie/talkie.env)" = "600 root" ]
check "it is a user of its own" [ "$(inside stat -c '%U %a' /var/lib/talkie)" = "talkie 700" ]
check "it starts with the machine" [ "$(property UnitFileState)" = enabled ]
check "its log is in the journal" inside sh -c '/opt/talkie/bin/talkie service logs -n 50 | grep -q "Talkie listens on"'
check "status says that it is ready" inside sh -c '/opt/talkie/bin/talkie service status --json | grep -q "\"ready\": true"'
exposure=$(inside systemd-analyze security talkie.service --no-pager | sed -n 's/.*exposure level.*: \([0-9.]*\) .*/\1/p')
note exposure "$exposure"
check "systemd-analyze finds an exposure of at most $MAX_EXPOSURE" awk "BEGIN { exit !($exposure <= $MAX_EXPOSURE) }"

say "with a card, less memory and no network"
talkie service install --yes --gpu --memory-max 3G --set offline=true >"$work/again"
check "it starts so too" [ "$(property MemoryMax),$(property PrivateDevices)" = 3221225472,no ]
check "and speaks to this machine only" [ -n "$(property IPAddressDeny)" ]
converses "$url"
talkie service install --yes --no-gpu --memory-max "" --set offline=false >"$work/again"
check "all of it can be taken back" [ "$(property MemoryMax),$(property PrivateDevices),$(property IPAddressDeny)" = infinity,yes, ]

before=$(files)
talkie service install --yes >"$work/again"
check "installing again changes no file" [ "$(files)" = "$before" ]
check "and keeps the address" [ "$(cat "$work/again")" = "$url" ]

say "an upgrade that fails"
"${PYTHON:-python3}" -m http.server --bind 127.0.0.1 "$second" >/dev/null 2>&1 &
at_exit "kill $!"
check "a port that is taken ends with an error" refused talkie service install --yes --port "$second" --gpu
check "every file is as it was" [ "$(files)" = "$before" ]
wait_ready "$url" 60 >/dev/null
converses "$url"

say "ends of all kinds"
inside systemctl kill --signal KILL --kill-who main talkie.service
check "one that was killed comes again" wait_for NRestarts 1
note again_ready_ms "$(wait_ready "$url" 60)"
check "an upgrade after that is no failure" again
inside systemctl stop talkie.service
check "it ends in order" [ "$(property Result),$(property ExecMainStatus)" = success,0 ]
inside sh -c 'echo TALKIE_PRESET=careless >>/etc/talkie/talkie.env'
inside systemctl start talkie.service || true
check "a setting that cannot be is not tried again" wait_for ActiveState failed
check "and ends with 2" [ "$(property ExecMainStatus),$(property NRestarts)" = 2,0 ]
inside sed -i /careless/d /etc/talkie/talkie.env

talkie service uninstall --yes
check "uninstalled, its settings and data stay" inside sh -c '[ -e /etc/talkie/talkie.env ] && [ -d /var/lib/talkie ] && ! [ -e /etc/systemd/system/talkie.service ]'
talkie service install --yes >"$work/again"
check "installed again, it has its settings" [ "$(cat "$work/again")" = "$url" ]
talkie service uninstall --purge --yes
check "purged, nothing is left" [ -z "$(files)$(inside sh -c 'ls -d /var/lib/talkie /etc/systemd/system/*/talkie.service; getent passwd talkie' 2>/dev/null)" ]

say "a user's own"
inside useradd --create-home anna
inside loginctl enable-linger anna
inside systemctl start "user@$(inside id -u anna).service"
anna() { inside runuser --user anna -- env HOME=/home/anna XDG_RUNTIME_DIR="/run/user/$(inside id -u anna)" /opt/talkie/bin/talkie "$@"; }
anna service install --yes --port "$port" >"$work/address"
converses "$url"
check "its settings are hers" [ "$(inside stat -c '%U %a' /home/anna/.config/talkie/talkie.env)" = "anna 600" ]
check "its home is hers" inside test -d /home/anna/.local/share/talkie
anna service uninstall --yes --purge
check "purged, nothing is left of it" [ -z "$(inside find /home/anna -name '*talkie*')" ]
