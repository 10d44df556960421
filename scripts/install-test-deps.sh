#!/usr/bin/env bash
# System programs that the tests use and a bare machine may lack: curl, for the README's examples, and Chromium, in
# which a page of somebody else's tries to drive a server on this machine.
# Installs through apt-get when it may; otherwise says what to install.
set -euo pipefail
missing=()
for program in curl chromium; do
    command -v "$program" >/dev/null || missing+=("$program")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if command -v apt-get >/dev/null && [ "$(id -u)" -eq 0 ]; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
else
    echo "note: not installed: ${missing[*]}. The tests that need them will be skipped." >&2
fi
