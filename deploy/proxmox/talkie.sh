#!/usr/bin/env bash
# Makes an LXC container with Talkie on a Proxmox VE host, or updates the Talkie of one. No Docker inside; models lie
# on a mount point of their own, so that containers come and go and models stay.
# usage: talkie.sh                on the host: asks nothing, makes a container; settings are the variables below
#        talkie.sh update CTID    on the host: stops, backs up, deploys, starts
# It fetches no script from anywhere: what runs inside is talkie-install.sh from the directory of this file.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

APP=Talkie
var_tags=${var_tags:-ai;speech}
var_cpu=${var_cpu:-4}
var_ram=${var_ram:-4096} # MiB
var_disk=${var_disk:-6}  # GiB, without models
var_os=${var_os:-debian}
var_version=${var_version:-12}
var_unprivileged=${var_unprivileged:-1}
var_ctid=${var_ctid:-} # the next free one
var_hostname=${var_hostname:-talkie}
var_storage=${var_storage:-local-lvm}
var_template_storage=${var_template_storage:-local}
var_bridge=${var_bridge:-vmbr0}
var_net=${var_net:-dhcp} # or an address with its network: 192.168.1.20/24
var_gateway=${var_gateway:-}
var_data=${var_data:-$var_storage:16} # the mount point of the models: STORAGE:GiB, or a directory of the host
var_port=${var_port:-8000}
var_tls=${var_tls:-self-signed} # browsers give the microphone to encrypted pages only
var_pull=${var_pull:-}          # models to fetch at the first start, like whisper-base
var_source=${var_source:-talkie} # what pip installs inside
var_wheels=${var_wheels:-}       # a folder of wheels on the host: nothing is fetched inside

header_info() { printf '\n  %s LXC\n\n' "$APP" >&2; }
msg_info() { printf ' - %s\n' "$*" >&2; }
msg_ok() { printf ' ✓ %s\n' "$*" >&2; }
msg_error() { printf ' ✗ %s\n' "$*" >&2; }

catch_errors() {
    trap 'msg_error "line $LINENO: $BASH_COMMAND: status $?"' ERR
    set -E
}

variables() {
    command -v pct >/dev/null || {
        msg_error "there is no pct here"
        echo "hint: run this on the Proxmox VE host, as root." >&2
        exit 1
    }
    [ -r "$here/talkie-install.sh" ] || {
        msg_error "talkie-install.sh is not beside this script"
        echo "hint: copy the whole directory deploy/proxmox to the host." >&2
        exit 1
    }
    ctid=${var_ctid:-$(pvesh get /cluster/nextid)}
}

# The newest template of that system, fetched when it is not in the storage. Prints its volume.
template() {
    local name="$var_os-$var_version-standard" volume found
    volume=$(pveam list "$var_template_storage" | awk -v name="/$name" 'index($1, name) { print $1 }' | sort -V | tail -n 1)
    if [ -z "$volume" ]; then
        found=$(pveam available --section system | awk -v name="$name" 'index($2, name) == 1 { print $2 }' | sort -V | tail -n 1)
        [ -n "$found" ] || { msg_error "no template is called $name" && return 1; }
        msg_info "fetching $found"
        pveam download "$var_template_storage" "$found" >&2
        volume="$var_template_storage:vztmpl/$found"
    fi
    printf '%s\n' "$volume"
}

build_container() {
    local net="name=eth0,bridge=$var_bridge,ip=$var_net" volume
    [ -z "$var_gateway" ] || net+=",gw=$var_gateway"
    volume=$(template)
    msg_info "making container $ctid: $var_cpu cores, $var_ram MiB, $var_disk GiB, models on $var_data"
    # Nesting lets systemd inside set up the sandbox of the service. Models can be had again: no backup of them.
    pct create "$ctid" "$volume" --hostname "$var_hostname" --cores "$var_cpu" --memory "$var_ram" \
        --rootfs "$var_storage:$var_disk" --mp0 "$var_data,mp=/var/lib/talkie,backup=0" --net0 "$net" \
        --unprivileged "$var_unprivileged" --features nesting=1 --onboot 1 --ostype "$var_os" --tags "$var_tags" >&2
    pct start "$ctid"
    wait_running
    msg_ok "container $ctid runs"
}

# Until systemd inside has started what it starts; "degraded" is up as well.
wait_running() {
    local tries=60 state
    while true; do
        state=$(pct exec "$ctid" -- systemctl is-system-running --wait 2>/dev/null || true)
        case $state in running | degraded) return 0 ;; esac
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || break
        sleep 1
    done
    msg_error "systemd does not come up in container $ctid"
    return 1
}

# Runs talkie-install.sh inside with our settings: inside install | inside update
inside() {
    local set=("var_source=$var_source" "var_port=$var_port" "var_tls=$var_tls" "var_pull=$var_pull")
    pct push "$ctid" "$here/talkie-install.sh" /usr/local/sbin/talkie-install --perms 0755
    if [ -n "$var_wheels" ]; then
        pct exec "$ctid" -- rm -rf /var/tmp/talkie-wheels
        pct exec "$ctid" -- mkdir -p /var/tmp/talkie-wheels
        tar -C "$var_wheels" -c . | pct exec "$ctid" -- tar -C /var/tmp/talkie-wheels --no-same-owner -x
        set+=("var_wheels=/var/tmp/talkie-wheels")
    fi
    pct exec "$ctid" -- env "${set[@]}" talkie-install "$1"
    [ -z "$var_wheels" ] || pct exec "$ctid" -- rm -rf /var/tmp/talkie-wheels
}

# Stops, backs up, deploys, starts; puts the version before back when the new one does not get ready.
update_script() {
    header_info
    pct status "$ctid" | grep -q running || pct start "$ctid"
    wait_running
    pct exec "$ctid" -- test -e /opt/talkie/current || {
        msg_error "no $APP installation found in container $ctid"
        exit 1
    }
    inside update
}

description() {
    local address scheme=https
    [ "$var_tls" != off ] || scheme=http
    address=$(pct exec "$ctid" -- hostname -I 2>/dev/null | awk '{ print $1 }')
    pct set "$ctid" --description "Talkie: $scheme://${address:-$var_hostname}:$var_port. Models: mount point mp0."
    msg_ok "$APP: $scheme://${address:-$var_hostname}:$var_port"
}

start() {
    header_info
    catch_errors
    variables
    build_container
    inside install
    description
}

case ${1:-} in
    "") start ;;
    update)
        var_ctid=${2:?"usage: talkie.sh update CTID"}
        catch_errors
        variables
        update_script
        ;;
    *) sed -n '2,6s/^# //p' "$0" >&2 && exit 2 ;;
esac
