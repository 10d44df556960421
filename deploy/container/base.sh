#!/usr/bin/env bash
# Makes the two images that a build stands on, from Debian packages, where no registry can be reached:
#   localhost/talkie-build   Python with pip and binutils: things are put together there, and it is thrown away
#   localhost/talkie-run     Python, certificates and what both need; no shell, no package manager, no Perl
# usage: base.sh [SUITE]    (bookworm, ...; MIRROR names a mirror, PODMAN another program)
set -euo pipefail
suite=${1:-bookworm} mirror=${MIRROR:-http://deb.debian.org/debian} podman=${PODMAN:-podman}
for program in mmdebstrap "$podman"; do
    command -v "$program" >/dev/null || {
        echo "error: $program is not here." >&2
        echo "hint: apt-get install mmdebstrap podman, or build on a public image: see README.md here." >&2
        exit 1
    }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What a server never imports, the modules that build modules, and codecs of terminals long gone.
not_run=(
    "/usr/share/doc/*" "/usr/share/man/*" "/usr/share/info/*" "/usr/share/locale/*" "/usr/share/lintian/*" "/usr/share/gdb/*"
    "/usr/share/bash-completion/*" "/usr/share/perl*" "/usr/share/binfmts/*" "/usr/share/applications/*"
    "/usr/lib/python3*/ensurepip/*" "/usr/lib/python3*/idlelib/*" "/usr/lib/python3*/lib2to3/*" "/usr/lib/python3*/pydoc_data/*"
    "/usr/lib/python3*/tkinter/*" "/usr/lib/python3*/turtle*" "/usr/lib/python3*/test/*" "/usr/lib/python3*/config-*/*"
    "/usr/lib/python3*/distutils/*" "/usr/lib/python3/dist-packages/*" "/usr/lib/*/gconv/*" "/usr/lib/*/perl*"
    "/usr/lib/*/audit/*" "/usr/lib/python3*/lib-dynload/_test*" "/usr/lib/valgrind/*" "/usr/share/python3/*" "/usr/share/pixmaps/*" "/usr/sbin/*" "/sbin/*"
)
echo "-- talkie-build: $suite with Python, pip and binutils" >&2
mmdebstrap --quiet --variant=minbase \
    --include=ca-certificates,python3,python3-venv,python3-pip,binutils "$suite" "$work/build.tar" "$mirror"
"$podman" import --quiet "$work/build.tar" localhost/talkie-build:"$suite" >/dev/null
rm "$work/build.tar"

# Packages are unpacked and nothing of them is run: no shell is needed for that, so there is none. What their scripts
# would have done for Python and for certificates is done here.
left_out=()
for path in "${not_run[@]}"; do left_out+=(--dpkgopt="path-exclude=$path"); done
cat >"$work/finish.sh" <<'FINISH'
#!/bin/sh
set -eu
root=$1
cat "$root"/usr/share/ca-certificates/mozilla/*.crt >"$root/etc/ssl/certs/ca-certificates.crt"
printf 'root:x:0:0:root:/root:/usr/sbin/nologin\ntalkie:x:10001:10001:Talkie:/data:/usr/sbin/nologin\n' >"$root/etc/passwd"
printf 'root:x:0:\ntalkie:x:10001:\n' >"$root/etc/group"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
rm -rf "$root"/usr/share/ca-certificates
# Modules are compiled here, since nobody may write there later; what nothing reads any more then goes.
for path in "$root"/usr/lib/python3.*; do
    chroot "$root" /usr/bin/python3 -m compileall -q -b "${path#"$root"}"
    find "$path" -name '*.py' -delete
done
find "$root/usr/bin" "$root/usr/sbin" \( -type f -o -type l \) ! -name 'python3*' -delete
mkdir -p "$root/tmp" && chmod 1777 "$root/tmp"
FINISH
chmod +x "$work/finish.sh"
echo "-- talkie-run: $suite with Python alone" >&2
mmdebstrap --quiet --variant=extract --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr "${left_out[@]}" \
    --include=base-files,ca-certificates,libc6,libgcc-s1,libstdc++6,python3,tzdata \
    --extract-hook="$work/finish.sh" "$suite" "$work/run.tar" "$mirror" >&2
# mmdebstrap tidies these up when the hook is through, so they go last.
tar --delete --file="$work/run.tar" ./etc/apt ./var/cache ./var/lib/apt ./var/lib/dpkg
"$podman" import --quiet --change "ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt" "$work/run.tar" localhost/talkie-run:"$suite" >/dev/null
"$podman" images --format '{{.Repository}}:{{.Tag}}  {{.Size}}' | grep -E "talkie-(build|run):$suite" >&2
