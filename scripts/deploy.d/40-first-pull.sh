#!/usr/bin/env bash
# The first pull onto an empty volume: killed ten times at random moments, two servers at once, a read-only volume.
# shellcheck source-path=SCRIPTDIR source=00-lib.sh
. "$(dirname "$0")/00-lib.sh"
# shellcheck source-path=SCRIPTDIR source=image.sh
. "$(dirname "$0")/image.sh"

if command -v "$podman" >/dev/null; then
    image_or_skip
    how=(container "$podman" "$image")
else
    say "without Podman, as processes"
    how=(process "$(installed)")
fi
"${PYTHON:-python3}" "$root/scripts/deploy.d/first_pull.py" "$root/tests" "${how[@]}" "$work" || failed=1
