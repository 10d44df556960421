"""Reports: terminal, Markdown and HTML say the same; the page needs nothing from elsewhere and escapes all it shows."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import pytest

import bench_runs
from talkie.bench import charts
from talkie.bench.html_report import html
from talkie.bench.markdown_report import markdown
from talkie.bench.results import Result
from talkie.bench.sections import contender_table, facts, file_tables, limit_table, ratio_tables, sections

NASTY = '<script>alert("x")</script>|*_'


@pytest.fixture
def run() -> Result:
    made = bench_runs.run()
    other_text = bench_runs.case("liar:fast", 400.0, text_ok=False)
    failed = replace(bench_runs.case("fallen", 1.0, 0), error="The engine failed:\nno memory")
    return replace(made, cases=(*made.cases, other_text, failed))


class Page(HTMLParser):
    """The tags, attributes and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "style")]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_best_stands_first_and_who_does_not_count_last(run: Result) -> None:
    [table] = file_tables(run)
    assert [row[0] for row in table.rows] == [
        "talkie", "whispers2t:batch-8", "faster-whisper:one-by-one", "liar:fast", "fallen",
    ]  # fmt: skip
    words = {row[0]: row[-1] for row in table.rows}
    assert (words["talkie"], words["liar:fast"], words["fallen"]) == ("the same", "ANOTHER TEXT: not counted", "FAILED")
    assert "no memory" in table.note
    assert table.rows[3][1] == "-"


def test_ratios_are_of_peers_that_count(run: Result) -> None:
    [table] = ratio_tables(run)
    assert [row[0] for row in table.rows] == ["faster-whisper:one-by-one", "whispers2t:batch-8"]
    assert table.rows[0][1].startswith("2.4") or table.rows[0][1].startswith("2.5")


def test_every_table_of_a_shape_true_model_says_so(run: Result) -> None:
    for table in sections(run):
        assert "SPEED ONLY" in table.title
    assert "SPEED ONLY" in dict(facts(run))["models"]
    real = replace(run, models=tuple(replace(one, shape_true=False) for one in run.models))
    assert "SPEED ONLY" not in html(real) + markdown(real)


@pytest.mark.parametrize("draw", [html, markdown])
def test_reports_name_the_machine_the_versions_and_the_settings(run: Result, draw: object) -> None:
    assert callable(draw)
    text = draw(run)
    for said in ("Some CPU", "2 cores", "Speed only: ", "compute", "batch", "threads", "package 1.0", "300 MB/s"):
        assert said in text
    for table in [*sections(run), contender_table(run)]:
        for row in table.rows:
            assert row[0] in unescape(text).replace("\\", "")


def test_the_page_stands_alone(run: Result) -> None:
    text = html(run)
    page = Page(text)
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert page.links == []
    assert "http" not in text and "url(" not in text and "@import" not in text
    assert "prefers-color-scheme: dark" in text


def test_every_picture_is_well_formed_and_has_its_words(run: Result) -> None:
    text = html(run)
    pictures = [f"<svg{part.partition('</svg>')[0]}</svg>" for part in text.split("<svg")[1:]]
    assert len(pictures) >= 10
    for picture in pictures:
        root = ET.fromstring(picture)
        assert root.get("aria-label")
        assert "talkie" in "".join(root.itertext()) or "Talkie" in "".join(root.itertext())


def test_what_a_file_holds_is_escaped(run: Result) -> None:
    ours = replace(run.cases[0], model=NASTY, error=NASTY, versions={NASTY: NASTY})
    nasty = replace(run, cases=(ours, *run.cases[1:]), machine={"processor": NASTY}, created=NASTY)
    assert "script" not in Page(html(nasty)).tags
    assert "<script" not in markdown(nasty).replace("\\<", "")


def test_markdown_tables_have_as_many_cells_as_heads(run: Result) -> None:
    lines = [line.replace("\\|", "") for line in markdown(run).splitlines() if line.startswith("|")]
    heads = 0
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        heads = line.count("|") if below.startswith("|---") else heads
        assert line.count("|") == heads


def test_the_limit_is_beside_each_contender(run: Result) -> None:
    table = limit_table(run)
    assert table is not None
    shares = {row[0].split(",")[0]: float(row[3].split()[0]) for row in table.rows}
    assert 0 < shares["whispers2t:batch-8"] < shares["talkie"] < 100
    assert limit_table(replace(run, limits={})) is None


def test_an_empty_run_has_a_report_too() -> None:
    empty = Result(machine={}, options={})
    assert "not measured" in html(empty)
    assert "not measured" in markdown(empty)


@pytest.mark.parametrize("value", [0.0, 0.003, 1.0, 9999.0])
def test_charts_hold_for_small_and_large_values(value: float) -> None:
    bar = charts.Bar("a", value, value, value, "said")
    for picture in (
        charts.bars("bars", [bar]),
        charts.ratios("ratios", [bar]),
        charts.lines("lines", ["x", "y"], [charts.Line("a", ((0, value), (1, value)))]),
        charts.clouds("clouds", "s", [charts.Cloud("a", (value,) * 1000)]),
    ):
        assert "nan" not in "".join(ET.fromstring(picture).itertext())
