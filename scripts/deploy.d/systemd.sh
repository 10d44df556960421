# shellcheck shell=bash disable=SC2154
# A small Debian that systemd runs, in a container on this machine's network, for the forms about services. Sourced.
#
# systemd in a container needs rights to mount, or it could not hide anything from what it runs. The image is made
# once (TALKIE_SYSTEMD_IMAGE names another one). Knows nothing of what is tried in it.
systemd_image=${TALKIE_SYSTEMD_IMAGE:-localhost/talkie-systemd:bookworm}
machine=talkie-$form-$$

boot() { # [PODMAN OPTION...]: starts it and waits until it is up
    need "$podman"
    if ! "$podman" image exists "$systemd_image"; then
        need mmdebstrap
        say "making a Debian with systemd"
        mmdebstrap --quiet --variant=minbase \
            --include=systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd,python3,python3-venv,ca-certificates \
            bookworm "$work/systemd.tar" >&2 || skip "no Debian can be made here (mmdebstrap)"
        "$podman" import --quiet "$work/systemd.tar" "$systemd_image" >/dev/null
        rm "$work/systemd.tar"
    fi
    at_exit "$podman rm --force --time 5 $machine >/dev/null 2>&1"
    "$podman" run --detach --name "$machine" --systemd=always --network host --cap-add SYS_ADMIN \
        --security-opt seccomp=unconfined "$@" "$systemd_image" /sbin/init >/dev/null || skip "systemd does not start in a container here"
    for _ in {1..150}; do
        case $(inside systemctl is-system-running 2>/dev/null || true) in
            running | degraded) return ;;
        esac
        sleep 0.2
    done
    inside systemctl --failed --no-pager >&2 || true
    skip "systemd does not come up in a container here"
}

inside() { "$podman" exec "$machine" "$@"; }

python_inside() { inside python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])'; }
