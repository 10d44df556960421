"""The project's own sources as syntax trees, for the tests that hold the house rules. Imports none of them."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "talkie"


@functools.cache
def modules() -> dict[str, ast.Module]:
    """Every module of the package by its path below `src/talkie`, for example `text/wer.py`."""
    return {
        path.relative_to(SOURCE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(SOURCE.rglob("*.py"))
    }


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def imports(tree: ast.AST) -> Iterator[str]:
    """Dotted names of everything imported anywhere in the tree, lazily or not."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Every call with its dotted name as written (`np.load`, `eval`); calls on expressions have no name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (name := dotted(node.func)):
            yield name, node


def dotted(node: ast.expr) -> str:
    """`a.b.c` for a chain of names and attributes, `""` for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := dotted(node.value)):
        return f"{before}.{node.attr}"
    return ""


def keyword_is_true(call: ast.Call, name: str) -> bool:
    """Whether `name=` is given as anything but a literal False."""
    given = [keyword.value for keyword in call.keywords if keyword.arg == name]
    return any(not (isinstance(value, ast.Constant) and value.value is False) for value in given)
