"""House rules that a linter does not know: sizes, docstrings, and what may never stand in the sources."""

from __future__ import annotations

import ast

import pytest

from sources import SOURCE, calls, functions, imports, keyword_is_true, modules

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60

CODE_FROM_DATA = {"pickle", "_pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "torch"}
"""Formats in which data can be code. What reaches Talkie by file or wire is JSON, numbers or protobuf."""

RUNS_TEXT = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "yaml.load", "yaml.unsafe_load"}


def every_module() -> list[str]:
    return list(modules())


@pytest.mark.parametrize("name", every_module())
def test_a_file_is_one_noun(name: str) -> None:
    lines = (SOURCE / name).read_text(encoding="utf-8").count("\n")
    assert lines <= MAX_FILE_LINES, f"{name} has {lines} lines: which two nouns is it?"


@pytest.mark.parametrize("name", every_module())
def test_functions_fit_on_a_screen(name: str) -> None:
    long = {f.name: n for f in functions(modules()[name]) if (n := lines_of(f, name)) > MAX_FUNCTION_LINES}
    assert not long


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> int:
    """Its length. Of a command, the body's: the signature is the table of its options and is read as one."""
    first = function.body[0].lineno if name.startswith("cli/") else function.lineno
    return (function.end_lineno or 0) - first


@pytest.mark.parametrize("name", every_module())
def test_every_file_says_what_it_is(name: str) -> None:
    tree = modules()[name]
    assert not tree.body or ast.get_docstring(tree), f"{name} has code and no docstring"


@pytest.mark.parametrize("name", every_module())
def test_no_data_becomes_code(name: str) -> None:
    found = {imported for imported in imports(modules()[name]) if imported.split(".")[0] in CODE_FROM_DATA}
    assert not found


@pytest.mark.parametrize("name", every_module())
def test_nothing_runs_text(name: str) -> None:
    found = [f"{called}, line {call.lineno}" for called, call in calls(modules()[name]) if called in RUNS_TEXT]
    found += [f"{c}, line {call.lineno}: shell" for c, call in calls(modules()[name]) if keyword_is_true(call, "shell")]
    found += [
        f"{called}, line {call.lineno}: pickle"
        for called, call in calls(modules()[name])
        if keyword_is_true(call, "allow_pickle")
    ]
    assert not found


OTHER_PROGRAMS = {
    "engines/tts/chatterbox_worker.py": "another interpreter's own environment, from which it takes our keys away",
    "environments/install.py": "what uv needs of it (a proxy, certificates, a home), and nothing else, is handed on",
}


@pytest.mark.parametrize("name", every_module())
def test_only_settings_read_the_environment(name: str) -> None:
    if name == "settings.py" or name.startswith("settings/") or name in OTHER_PROGRAMS:
        return
    reads = environment_reads(modules()[name])
    assert not reads, f"{name} reads the environment in lines {reads}"


def environment_reads(tree: ast.Module) -> list[int]:
    """Lines that look at the environment. Giving a worker process its own (`os.environ.setdefault`) is not looking."""
    gives = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "setdefault"}
    looks = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr in {"environ", "environb"}]
    asks = [call.lineno for called, call in calls(tree) if called in {"os.getenv", "getenv"}]
    return sorted(asks + [node.lineno for node in looks if id(node) not in gives])


def test_the_gate_sees_what_it_must_see() -> None:
    tree = ast.parse("import pickle\nfrom torch import load\nnp.load(f, allow_pickle=True)\nos.environ['A']\neval('1')")
    assert environment_reads(tree) == [4]
    assert {"pickle", "torch", "torch.load"} <= set(imports(tree))
    assert [called for called, _ in calls(tree)] == ["np.load", "eval"]
    assert keyword_is_true(dict(calls(tree))["np.load"], "allow_pickle")
