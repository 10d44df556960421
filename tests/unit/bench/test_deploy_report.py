"""What is read from a recorded run of the deployment bench: ratios, verdicts, advice, pages."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from deploy_runs import MB, RUN, form, result, turn
from talkie.bench import deploy_report
from talkie.bench.deploy_advice import OPEN, RULES, TOO_FEW, advice
from talkie.bench.deploy_figures import form as found_form
from talkie.bench.deploy_figures import median, same_text, tls_ratio, to_native
from talkie.bench.deploy_published import published
from talkie.bench.deploy_results import BRIDGE, HOST, NATIVE, FormRun, Gpu, parse_result, read_result
from talkie.bench.deploy_verdicts import verdicts
from talkie.bench.report import json_line
from talkie.errors import InvalidValue


def ours(name: str) -> FormRun:
    run = found_form(RUN, name)
    assert run is not None
    return run


def words(changed: object = RUN) -> dict[tuple[str, str], str]:
    return {(one.goal, one.where): one.word for one in verdicts(changed)}  # type: ignore[arg-type]


def advice_of(who: str, changed: object = RUN) -> str:
    return next(one.text for one in advice(changed) if one.who == who)  # type: ignore[arg-type]


def test_a_run_that_was_written_is_the_same_when_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text("a table\n\n" + json_line("deploy", RUN.as_json()) + "\n")
    assert read_result(path) == RUN


@pytest.mark.parametrize(
    "changed",
    [
        {"schema": 2},
        {"bench": "speed"},
        {"forms": [{"name": "native", "title": "native", "turns": [{"round": 0}]}]},
        {"forms": [{"name": "native", "title": "native", "disk": {"image": "large"}}]},
        {"forms": 5},
    ],
)
def test_what_is_no_result_is_refused(changed: dict[str, object]) -> None:
    values = json.loads(json_line("deploy", RUN.as_json()))
    with pytest.raises(InvalidValue):
        parse_result({**values, **changed})


def test_ratios_are_of_the_same_round() -> None:
    """Rounds got slower and slower, for all alike: the ratio does not."""
    ready = to_native(RUN, ours(BRIDGE), "ready_s")
    assert ready is not None
    assert (round(ready.median, 6), round(ready.low, 6), round(ready.high, 6), ready.rounds) == (1.3, 1.3, 1.3, 3)
    seconds = median(ours(BRIDGE), "ready_s")
    assert seconds is not None and seconds.median == 2.6


def test_a_round_that_one_of_them_missed_does_not_count() -> None:
    short = replace(ours(HOST), turns=ours(HOST).turns[:1])
    ready = to_native(result(ours(NATIVE), short), short, "ready_s")
    assert ready is not None and ready.rounds == 1


def test_tls_is_told_from_servers_asked_in_turns() -> None:
    cost, fresh = tls_ratio(ours(NATIVE)), tls_ratio(ours(NATIVE), "tls_new")
    assert cost is not None and fresh is not None
    assert (round(cost.median, 6), round(fresh.median, 6)) == (1.02, 1.06)


def test_each_container_is_held_to_the_aims() -> None:
    found = words()
    assert found["container: start to ready at most 1.15 of native", "the container-host"] == "met"
    assert found["container: start to ready at most 1.15 of native", "the container-bridge"] == "MISSED"
    assert found["container: RAM at most 1.1 of native", "the container-host"] == "met"
    assert found["container: RAM at most 1.1 of native", "the container-bridge"] == "MISSED"
    assert found["TLS costs at most 10 % latency", "the native"] == "met"
    assert found["image at most 400 MB unpacked", "the container-host"] == "met"
    assert found["folder at most 350 MB unpacked", "the folder"] == "MISSED"
    assert found["restart with weights on the volume: ready in 2 s", "the container-host"] == "MISSED"


def test_what_was_not_measured_is_no_verdict() -> None:
    assert set(words(result()).values()) == {"not measured"}
    alone = words(result(ours(HOST)))
    assert alone["container: start to ready at most 1.15 of native", ""] == "not measured"


def test_advice_says_nothing_that_was_not_measured() -> None:
    assert {one.text for one in advice(result())} == {OPEN}
    assert [one.who for one in advice(RUN)] == list(RULES)
    assert advice_of("A GPU") == OPEN and advice_of("A Proxmox host") == OPEN


def test_too_few_rounds_decide_nothing() -> None:
    few = result(form(NATIVE, (1.0, 1.0)), form(HOST, (3.0, 3.0)))
    assert {one.text for one in advice(few)} == {TOO_FEW}
    assert {one.met for one in verdicts(few) if "image" not in one.goal} == {None}


def test_advice_follows_the_figures() -> None:
    assert advice_of("One person, one machine").startswith("Whichever is easier to update")
    dear = result(ours(NATIVE), form(HOST, (1.5, 3.0, 4.5), around_mb=100))
    assert advice_of("One person, one machine", dear).startswith("Native:")
    assert "1.50 times the start and 1.33 times the RAM" in advice_of("A server beside others", dear)
    assert "0.49 of the upload rate" in advice_of("Many clients over a network")
    even = result(ours(NATIVE), ours(HOST), form(BRIDGE, (1.1, 2.2, 3.3)))
    assert advice_of("Many clients over a network", even).startswith("A bridge:")


def test_advice_on_memory_and_tls() -> None:
    assert "gives back 180 MB" in advice_of("Little memory")
    kept = result(form(NATIVE, (1.0, 1.0, 1.0), rss_mb=300, unloaded=turn().resident))
    assert advice_of("Little memory", kept).startswith("Keep the model resident")
    assert advice_of("Callers beyond this machine") == "TLS on: +2.0 % latency at most (the native)."
    slow = result(form(NATIVE, (1.0, 1.0, 1.0), tls_s=(0.3, 0.3, 0.3)))
    assert advice_of("Callers beyond this machine", slow).startswith("TLS at a proxy")


def test_the_published_estimates_stand_beside() -> None:
    rows = {row[0]: row[1:] for row in published(RUN).rows}
    assert rows["start to ready"] == ("2.46 s", "4 to 7 s", "2.00 s", "2.20 s")
    assert rows["start to ready, container / native"][3].startswith("1.10 (1.10 to 1.10) times")
    assert rows["GPU memory"][2:] == ("not measured", "not measured")


def test_pages_say_the_same_as_the_terminal() -> None:
    page, text = deploy_report.html(RUN), deploy_report.markdown(RUN)
    assert text.startswith(deploy_report.GENERATED)
    for said in ("LXC: not measured, no container was named.", "1.30 (1.30 to 1.30)", "speed only"):
        assert said in text and said in page
    for _, _, picture in deploy_report.pictures(RUN):
        ET.fromstring(picture)
    assert "## GPU" not in text


def test_columns_of_a_gpu_where_there_is_one() -> None:
    run = result(form(NATIVE, (1.0, 1.0, 1.0), gpu=Gpu(700 * MB, 100 * MB, 0.5)))
    [table] = [one for one in deploy_report.tables(run) if one.title == "GPU"]
    assert table.rows == (("the native", "700 (700 to 700)", "600 (600 to 600)", "0.5 (0.5 to 0.5)"),)
    assert parse_result(json.loads(json_line("deploy", run.as_json()))) == run


def test_forms_that_heard_different_texts_are_not_compared_in_silence() -> None:
    other = result(ours(NATIVE), form(HOST, (1.0,), text="xyz"))
    assert same_text(RUN) and not same_text(other)
    assert any("different texts" in said for said in deploy_report.warnings(other))
    assert not any("different texts" in said for said in deploy_report.warnings(RUN))
    assert any("Fewer than 3 rounds" in said for said in deploy_report.warnings(other))


def test_text_from_a_result_is_no_markup() -> None:
    evil = replace(RUN, model="<script>x</script>|`", forms=(replace(ours(NATIVE), title="<b>"), ours(HOST)))
    assert "<script>" not in deploy_report.html(evil) and "<b>n" not in deploy_report.html(evil)
    text = deploy_report.markdown(evil)
    assert "\\<script>x\\</script>\\|\\`" in text and text.count("<script>") == text.count("\\<script>")
