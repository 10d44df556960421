"""Forms in turns: A B C, A B C, so that whatever the machine does in a minute happens to all of them.

Before the first round each form has a start that does not count. A form that fails keeps the turns it had, and is not
asked again; why stands in its row. Knows nothing of what a turn measures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from talkie.bench.deploy_forms import Form
from talkie.bench.deploy_results import FormRun
from talkie.bench.deploy_turn import TurnTask, turn, warm_up
from talkie.errors import TalkieError


@dataclass(slots=True)
class Board:
    """Where the run gathers, in the order of the forms. `work` has a home for each."""

    work: Path
    progress: Callable[[str], None] = lambda _: None
    runs: dict[str, FormRun] = field(default_factory=dict)


def run(forms: Sequence[Form], task: TurnTask, rounds: int, board: Board) -> tuple[FormRun, ...]:
    """Raises nothing that a form does: its row tells it. Interrupted after a turn, the turns so far are the run."""
    try:
        _all(forms, task, rounds, board)
    except KeyboardInterrupt:
        if not any(one.turns for one in board.runs.values()):
            raise
        board.progress("interrupted: what was measured so far is the run")
    return tuple(board.runs.values())


def _all(forms: Sequence[Form], task: TurnTask, rounds: int, board: Board) -> None:
    for form in forms:
        board.runs[form.name] = FormRun(form.name, form.title)
        _tried(form, board, lambda form=form: _prepare(form, task, board))  # type: ignore[misc]
    for number in range(rounds):
        for form in forms:
            if not board.runs[form.name].absent:
                board.progress(f"round {number + 1} of {rounds}: {form.title}")
                _tried(form, board, lambda form=form, number=number: _turn(form, task, number, board))  # type: ignore[misc]


def _prepare(form: Form, task: TurnTask, board: Board) -> None:
    board.progress(f"making ready: {form.title}")
    board.runs[form.name] = replace(board.runs[form.name], disk=form.disk())
    warm_up(form, _at_home(form, task, board))


def _turn(form: Form, task: TurnTask, number: int, board: Board) -> None:
    one = turn(form, _at_home(form, task, board), number)
    so_far = board.runs[form.name]
    board.runs[form.name] = replace(so_far, turns=(*so_far.turns, one))


def _tried(form: Form, board: Board, step: Callable[[], None]) -> None:
    try:
        step()
    except TalkieError as error:
        board.progress(f"{form.title}: {error.message}")
        board.runs[form.name] = replace(board.runs[form.name], absent=error.message.splitlines()[0])


def _at_home(form: Form, task: TurnTask, board: Board) -> TurnTask:
    """A directory of its own, beside that of the certificate."""
    return replace(task, wish=replace(task.wish, home=board.work / form.name))


def with_absent(runs: Sequence[FormRun], absent: Mapping[str, tuple[str, str]]) -> tuple[FormRun, ...]:
    """Rows for those that could not be had: title and why, by name."""
    return (*runs, *(FormRun(name, title, absent=why) for name, (title, why) in absent.items()))
