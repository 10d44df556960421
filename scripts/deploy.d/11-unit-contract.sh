#!/usr/bin/env bash
# Every engine's contract suite under the unit of the service: what it hides and forbids is nothing that an engine needs.
# shellcheck source-path=SCRIPTDIR source=00-lib.sh
. "$(dirname "$0")/00-lib.sh"
# shellcheck source-path=SCRIPTDIR source=systemd.sh
. "$(dirname "$0")/systemd.sh"
# The environment of the checkout, for what the tests need; another one can be named. CONTRACT_TESTS names other tests;
# those of the store and of volumes run no engine.
python=${CONTRACT_PYTHON:-$root/.venv/bin/python}
read -ra tests <<<"${CONTRACT_TESTS:-tests/contract --ignore-glob=*/test_store_* --ignore-glob=*/test_first_start*}"

need "$podman"
[ -x "$python" ] || skip "there is no $python (make setup)"
site=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
boot --volume "$root:/talkie:ro" --volume "$site:/site:ro"
ours=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
[ "$(python_inside)" = "$ours" ] || skip "the packages are for Python $ours, and Debian has $(python_inside)"

# The unit as it is delivered; only what it starts is another program, which ends.
inside mkdir -p /etc/talkie /etc/sysusers.d /etc/systemd/system/talkie.service.d
inside touch /etc/talkie/talkie.env
inside cp /talkie/deploy/systemd/talkie.service /etc/systemd/system/
inside cp /talkie/deploy/systemd/sysusers.conf /etc/sysusers.d/talkie.conf
inside systemd-sysusers >&2
"$podman" exec --interactive "$machine" tee /etc/systemd/system/talkie.service.d/contract.conf >/dev/null <<END
[Service]
Type=oneshot
Restart=no
TimeoutStartSec=infinity
WorkingDirectory=/talkie
Environment=PYTHONDONTWRITEBYTECODE=1
ExecStart=
ExecStart=/usr/bin/python3 -P -m pytest -v --tb=short --no-header -n ${CONTRACT_WORKERS:-2} -p no:cacheprovider -o timeout=600 --basetemp=/var/lib/talkie/pytest ${tests[*]}
END
# Not PYTHONPATH: servers that tests start have an environment of their own.
inside python3 -c 'import pathlib, site; pathlib.Path(site.getsitepackages()[0], "talkie.pth").write_text("/talkie/src\n/site\n")'
inside systemctl daemon-reload
status=0
inside systemctl start talkie.service || status=$?
inside journalctl --unit talkie.service --output cat --no-pager >"$work/log"
grep -E '^(FAILED|ERROR|E  )' "$work/log" >&2 || true
grep -E '^SKIPPED' "$work/log" >&2 || true
summary=$(grep -E '^=+ .*(passed|failed|error).* =+$' "$work/log" | tail -n 1 | tr -d =)
grep -q ' passed' <<<"$summary" || tail -n 20 "$work/log" >&2
if [ "$status" -eq 0 ]; then ok "the suite passes:$summary"; else fail "the suite does not pass:$summary"; fi
killed=$(inside journalctl --no-pager --output cat | grep -c 'status=31/SYS' || true)
check "no process was ended for a call to the system" [ "$killed" -eq 0 ]
