"""House rules that a linter does not know: sizes, docstrings, and what may never stand in the sources."""

from __future__ import annotations

import ast

from sources import SOURCE, calls, functions, imports, keyword_is_true, modules

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60

CODE_FROM_DATA = {"pickle", "_pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "torch"}
"""Formats in which data can be code. What reaches Talkie by file or wire is JSON, numbers or protobuf."""

RUNS_TEXT = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "yaml.load", "yaml.unsafe_load"}


def test_a_file_is_one_noun() -> None:
    long = {name: n for name in modules() if (n := lines_of_file(name)) > MAX_FILE_LINES}
    assert not long, "which two nouns is it?"


def lines_of_file(name: str) -> int:
    return (SOURCE / name).read_text(encoding="utf-8").count("\n")


def test_functions_fit_on_a_screen() -> None:
    of_all = {(name, f.name): lines_of(f, name) for name, tree in modules().items() for f in functions(tree)}
    assert not {where: lines for where, lines in of_all.items() if lines > MAX_FUNCTION_LINES}


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> int:
    """Its length. Of a command, the body's: the signature is the table of its options and is read as one."""
    first = function.body[0].lineno if name.startswith("cli/") else function.lineno
    return (function.end_lineno or 0) - first


def test_every_file_says_what_it_is() -> None:
    silent = [name for name, tree in modules().items() if tree.body and not ast.get_docstring(tree)]
    assert not silent, "code and no docstring"


def test_no_data_becomes_code() -> None:
    of_all = {(name, imported) for name, tree in modules().items() for imported in imports(tree)}
    assert not {(name, imported) for name, imported in of_all if imported.split(".")[0] in CODE_FROM_DATA}


def test_nothing_runs_text() -> None:
    found = {name: text_runs(tree) for name, tree in modules().items()}
    assert not {name: runs for name, runs in found.items() if runs}


def text_runs(tree: ast.Module) -> list[str]:
    """The calls that run a text, or may run what they read, each with its line."""
    made = list(calls(tree))
    found = [f"{called}, line {call.lineno}" for called, call in made if called in RUNS_TEXT]
    found += [f"{called}, line {call.lineno}: shell" for called, call in made if keyword_is_true(call, "shell")]
    found += [f"{called}, line {call.lineno}: pickle" for called, call in made if keyword_is_true(call, "allow_pickle")]
    return found


OTHER_PROGRAMS = {
    "engines/tts/chatterbox_worker.py": "another interpreter's own environment, from which it takes our keys away",
    "environments/install.py": "what uv needs of it (a proxy, certificates, a home), and nothing else, is handed on",
}


def test_only_settings_read_the_environment() -> None:
    others = [name for name in modules() if not (name == "settings.py" or name.startswith("settings/"))]
    found = {name: environment_reads(modules()[name]) for name in others if name not in OTHER_PROGRAMS}
    assert not {name: lines for name, lines in found.items() if lines}


def environment_reads(tree: ast.Module) -> list[int]:
    """Lines that look at the environment. Giving a worker process its own (`os.environ.setdefault`) is not looking."""
    gives = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "setdefault"}
    looks = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr in {"environ", "environb"}]
    asks = [call.lineno for called, call in calls(tree) if called in {"os.getenv", "getenv"}]
    return sorted(asks + [node.lineno for node in looks if id(node) not in gives])


def test_the_gate_sees_what_it_must_see() -> None:
    tree = ast.parse("import pickle\nfrom torch import load\nnp.load(f, allow_pickle=True)\nos.environ['A']\neval('1')")
    assert environment_reads(tree) == [4]
    assert text_runs(tree) == ["eval, line 5", "np.load, line 3: pickle"]
    assert {"pickle", "torch", "torch.load"} <= set(imports(tree))
    assert [called for called, _ in calls(tree)] == ["np.load", "eval"]
    assert keyword_is_true(dict(calls(tree))["np.load"], "allow_pickle")
