#!/usr/bin/env bash
# Every script of the repository is read by shellcheck, whatever its name.
# shellcheck source-path=SCRIPTDIR source=00-lib.sh
. "$(dirname "$0")/00-lib.sh"

need shellcheck git
cd "$root"
# Those that git knows or would take, with the name of a script or the first line of one.
scripts=()
while IFS= read -r -d '' path; do
    [ -f "$path" ] || continue
    case $path in
        *.sh) scripts+=("$path") ;;
        *.*) ;;
        *) if head -n 1 "$path" | tr -d '\0' | grep -qE '^#!.*\b(ba|da)?sh\b'; then scripts+=("$path"); fi ;;
    esac
done < <(git ls-files -z --cached --others --exclude-standard)
note scripts "${#scripts[@]}"
for path in "${scripts[@]}"; do
    shellcheck -x "$path" >&2 || fail "$path"
done
[ "$failed" -eq 1 ] || ok "all ${#scripts[@]} scripts"
