# shellcheck shell=bash
# What the forms of scripts/deploy.d share: verdicts, the wheel, waiting, the conversation. Sourced, never run.
#
# A form is a program NN-name.sh that begins with `. "$(dirname "$0")/00-lib.sh"`, starts Talkie in its own way, and
# says on stdout, a line each: `ok TEXT`, `skip REASON` or `FAIL TEXT`, and figures as `note NAME VALUE`. Everything
# else goes to stderr. It runs alone as well as under scripts/test-deploy. Knows nothing of any one form.
set -euo pipefail
shopt -s inherit_errexit

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
form=$(basename "$0" .sh)
podman=${PODMAN:-podman}
# Kept between runs, and removed by `make clean`: what was fetched. What is made from the sources is each run's own.
store=${DEPLOY_STORE:-$root/.demo/deploy}
# One run's own: the wheel and its installation, and the text that the first form heard. test-deploy hands it to every form.
if [ -z "${DEPLOY_RUN:-}" ]; then
    DEPLOY_RUN=$(mktemp -d)
    export DEPLOY_RUN
    own_run=1
fi
work=$(mktemp -d)
export store work form podman
failed=0
leaving=("rm -rf '$work'")
[ -z "${own_run:-}" ] || leaving=("rm -rf '$DEPLOY_RUN'" "${leaving[@]}")

# --- verdicts -------------------------------------------------------------------------------------------------

ok() { printf 'ok %s\n' "$*"; }
fail() { printf 'FAIL %s\n' "$*" && failed=1; }
note() { printf 'note %s %s\n' "$1" "$2"; }
say() { printf -- '-- %s: %s\n' "$form" "$*" >&2; }
skip() {
    printf 'skip %s\n' "$*"
    exit 0
}
need() { # PROGRAM...: this form cannot be tried where one is missing
    for program in "$@"; do command -v "$program" >/dev/null || skip "$program is not here"; done
}

# check TEXT COMMAND...: ok when the command succeeds
check() {
    local text=$1
    shift
    if "$@"; then ok "$text"; else fail "$text"; fi
}

at_exit() { leaving=("$1" "${leaving[@]}"); } # a shell command; the last one said runs first

leave() {
    local status=$?
    trap - EXIT
    set +e
    for command in "${leaving[@]}"; do eval "$command" >&2; done
    [ "$status" -eq 0 ] || [ "$failed" -eq 1 ] || printf 'FAIL it ended with status %s\n' "$status"
    exit $((status != 0 ? status : failed))
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# --- what there is to run -------------------------------------------------------------------------------------

uv() {
    local program=${UV:-$root/.tools/bin/uv}
    [ -x "$program" ] || make -s -C "$root" .tools/bin/uv >&2
    "$program" "$@"
}

# The wheel and an installation of it in a virtual environment, made once a run. Prints the program's path.
installed() {
    local native=$DEPLOY_RUN/native
    if [ ! -e "$native/done" ]; then
        say "building the wheel and installing it"
        uv --version >&2
        "$root/scripts/install-wheel.sh" "${UV:-$root/.tools/bin/uv}" "${PYTHON:-python3}" "$native" >&2
        touch "$native/done"
    fi
    printf '%s\n' "$native/venv/bin/talkie"
}

wheel() { # prints the path of the wheel
    installed >/dev/null
    ls "$DEPLOY_RUN"/native/dist/talkie-*.whl
}

# A folder with the wheel, the wheels of everything that the lock names, and requirements.txt with their hashes:
# an installation without a network is `pip install --no-index --find-links DIR --require-hashes -r DIR/requirements.txt`
# and then the same with --no-deps and the wheel. For the Python of this machine.
wheels() {
    local folder=$DEPLOY_RUN/wheels kept wanted=$DEPLOY_RUN/native/requirements.txt
    if [ ! -e "$folder" ]; then
        installed >/dev/null
        kept=$store/wheels/$(sha256sum <"$wanted" | cut -c1-16)
        if [ ! -e "$kept" ]; then
            say "fetching the wheels of what it needs"
            rm -rf "$store/wheels"
            mkdir -p "$store/wheels"
            "${PYTHON:-python3}" -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
                --only-binary :all: --dest "$kept.$$" --requirement "$wanted" >&2
            mv -T "$kept.$$" "$kept"
        fi
        cp -r "$kept" "$folder.part"
        cp "$wanted" "$DEPLOY_RUN"/native/dist/talkie-*.whl "$folder.part"
        mv "$folder.part" "$folder"
    fi
    printf '%s\n' "$folder"
}

# Not one of those that the system gives to outgoing connections: it could be gone before a server takes it.
free_port() {
    "${PYTHON:-python3}" - <<'PY'
import random, socket

while True:
    port = random.randrange(20000, 30000)
    with socket.socket() as trial:
        if trial.connect_ex(("127.0.0.1", port)):
            print(port)
            break
PY
}

new_key() { "${PYTHON:-python3}" -c 'import secrets; print("tk_" + secrets.token_urlsafe(32))'; }

# --- what is asked of it --------------------------------------------------------------------------------------

wait_ready() { # URL [SECONDS]: until /readyz says so; prints the milliseconds that it took
    "${PYTHON:-python3}" "$root/scripts/deploy.d/conversation.py" ready "$1" "${2:-60}"
}

status_of() { # URL [KEY]: the HTTP status of a GET
    TALKIE_KEY=${2:-} "${PYTHON:-python3}" "$root/scripts/deploy.d/conversation.py" status "$1"
}

conversation() { # URL [KEY]: the demo's sentences, spoken and heard by that server; a line each of what was heard
    TALKIE_KEY=${2:-} "${PYTHON:-python3}" "$root/scripts/deploy.d/conversation.py" talk "$1"
}

# The text that every form is held to: what the installed wheel hears, natively, on this machine. Prints its path.
reference() {
    [ -s "$DEPLOY_RUN/reference" ] || native_text >"$DEPLOY_RUN/reference.part"
    [ -s "$DEPLOY_RUN/reference" ] || mv "$DEPLOY_RUN/reference.part" "$DEPLOY_RUN/reference"
    printf '%s\n' "$DEPLOY_RUN/reference"
}

native_text() (
    talkie=$(installed)
    native_port=$(free_port)
    say "the native server says what there is to hear"
    "$talkie" serve --home "$work/reference" --host 127.0.0.1 --port "$native_port" >&2 &
    trap 'kill $! 2>/dev/null; wait $! || true' EXIT
    wait_ready "http://127.0.0.1:$native_port" 120 >/dev/null
    conversation "http://127.0.0.1:$native_port"
)

# converses URL [KEY]: holds the conversation and says ok or FAIL: the same text as native, or not
converses() {
    local expected
    expected=$(reference)
    if conversation "$1" "${2:-}" >"$work/heard" && diff -u "$expected" "$work/heard" >&2; then
        ok "the conversation gives the same text"
    else
        fail "the conversation gives another text"
    fi
}
