"""The page's formula and its reading of the presets, run by Node where there is one, beside Python's: to the last bit.

`tests/e2e/test_cost_page.py` does the same in a browser.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tomllib
from dataclasses import fields
from typing import Any

import pytest

from cost_plans import as_json, cases, figures
from sources import SOURCE
from talkie.bench.cost_inputs import Plan

WEB = SOURCE / "web"
NODE = shutil.which("node")
SCRIPT = """
const module = async (text) => import("data:text/javascript," + encodeURIComponent(text));
let input = "";
for await (const part of process.stdin) input += part;
const { formula, presets, plans, table } = JSON.parse(input);
const { figures } = await module(formula);
const { parsed } = await module(presets);
console.log(JSON.stringify({ figures: plans.map(figures), presets: parsed(table) }));
"""


@pytest.fixture(scope="module")
def answer() -> dict[str, Any]:
    if NODE is None:
        pytest.skip("no Node here; the test in a browser holds the same")
    plans = [as_json(plan) for plan in cases()]
    texts = {"formula": "cost-formula.js", "presets": "cost-presets.js", "table": "cost-presets.toml"}
    asked = {name: (WEB / file).read_text(encoding="utf-8") for name, file in texts.items()}
    command = [NODE, "--input-type=module", "--eval", SCRIPT]
    done = subprocess.run(
        command, input=json.dumps({**asked, "plans": plans}), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_the_same_figures(answer: dict[str, Any]) -> None:
    assert answer["figures"] == [figures(plan) for plan in cases()]


def test_the_same_presets(answer: dict[str, Any]) -> None:
    known = tomllib.loads((WEB / "cost-presets.toml").read_text(encoding="utf-8"))
    assert list(answer["presets"]) == list(known)
    for name, table in known.items():
        assert answer["presets"][name].pop("values") | answer["presets"][name] == table


def test_the_page_asks_for_every_input_in_words() -> None:
    asks = (WEB / "cost-inputs.js").read_text(encoding="utf-8")
    words = (WEB / "words-cost.js").read_text(encoding="utf-8")
    for one in fields(Plan):
        assert asks.count(f'["{one.name}"') >= 1
        assert words.count(f"  cost_{one.name}: ") == 4  # languages
