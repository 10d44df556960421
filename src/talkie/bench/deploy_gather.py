"""From what was asked for to a run: the forms that are here, the recording, the certificate, all rounds.

Knows no command line and nothing of how a result is shown.
"""

from __future__ import annotations

import secrets
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from talkie.bench.deploy_containers import TITLES, containers
from talkie.bench.deploy_forms import Form, FormAbsent, StartWish, program
from talkie.bench.deploy_lxc import TITLE as LXC_TITLE
from talkie.bench.deploy_lxc import lxc
from talkie.bench.deploy_results import BRIDGE, BUNDLE, HOST, LXC, NATIVE, DeployResult
from talkie.bench.deploy_rounds import Board, run, with_absent
from talkie.bench.deploy_turn import TurnTask
from talkie.bench.machine import this_machine
from talkie.bench.recordings import synthesize
from talkie.bench.sentences import SENTENCES
from talkie.bench.upload import SIZE_BYTES
from talkie.errors import InvalidValue

FORM_TITLES = {NATIVE: "native", **TITLES, BUNDLE: "one folder", LXC: LXC_TITLE}


@dataclass(frozen=True, slots=True)
class Asked:
    """`model` is what servers are told, `title` what it is called; `speech` is the recording, None: made here."""

    model: str
    title: str
    shape_true: bool
    rounds: int
    speech: Path | None = None


@dataclass(frozen=True, slots=True)
class Here:
    """Where each form is. `native` None is the interpreter that runs this."""

    forms: Sequence[str]
    native: Path | None
    image: str
    bundle: Path
    lxc: str
    lxc_command: str


@dataclass(frozen=True, slots=True)
class Work:
    """What a turn does."""

    answers: int
    uploads: int
    idle_s: float
    tls: bool


def measure(asked: Asked, here: Here, work: Work, progress: Callable[[str], None]) -> DeployResult:
    """Raises `InvalidValue` for a form that nobody knows; what fails in a form is in its row."""
    created = datetime.now(UTC).isoformat(timespec="seconds")
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="talkie-bench-")))
        forms, absent = gather(here)
        for form in forms:
            stack.callback(form.close)
        audio = asked.speech or _spoken(directory)
        task = _task(asked, work, directory, audio)
        runs = run(forms, task, asked.rounds, Board(directory, progress))
        audio_s = _seconds(audio)
    return DeployResult(
        machine=this_machine().as_json(),
        created=created,
        model=asked.title,
        shape_true=asked.shape_true,
        audio_s=round(audio_s, 2),
        options={"rounds": asked.rounds, "answers": work.answers, "idle s": work.idle_s},
        forms=with_absent(runs, absent),
    )


def gather(here: Here) -> tuple[list[Form], dict[str, tuple[str, str]]]:
    """The forms that are here, and title and reason of each that is not. Raises `InvalidValue`."""
    forms: list[Form] = []
    absent: dict[str, tuple[str, str]] = {}
    for name in here.forms:
        if name not in FORM_TITLES:
            raise InvalidValue("forms", f"There is no form {name[:40]!r}.", hint=f"One of: {', '.join(FORM_TITLES)}.")
        try:
            forms.append(_form(name, here))
        except FormAbsent as why:
            absent[name] = (FORM_TITLES[name], str(why))
    return forms, absent


def _form(name: str, here: Here) -> Form:
    """Raises `FormAbsent`."""
    if name in (HOST, BRIDGE):
        return containers(here.image, (name,))[0]
    if name == LXC:
        return lxc(here.lxc, here.lxc_command)
    if name == BUNDLE:
        return program(name, FORM_TITLES[name], [str(here.bundle)], {"folder": here.bundle.parent})
    if here.native is None:
        return program(name, FORM_TITLES[name], [sys.executable, "-m", "talkie"], {"environment": Path(sys.prefix)})
    environment = here.native.resolve().parent.parent if here.native.exists() else here.native
    return program(name, FORM_TITLES[name], [str(here.native)], {"environment": environment})


def _task(asked: Asked, work: Work, directory: Path, audio: Path) -> TurnTask:
    noise = directory / "noise.wav"
    noise.write_bytes(np.random.default_rng(0).bytes(SIZE_BYTES))
    tls = _certificate(directory / "tls") if work.tls else None
    wish = StartWish(directory, asked.model, secrets.token_urlsafe(32), tls=tls)
    return TurnTask(audio, noise, wish, work.answers, work.uploads, work.idle_s)


def _certificate(directory: Path) -> Path:
    """One for all forms. The server in a container is another user and must be able to read its key: it is for this
    run alone, and lies below a directory that only we may enter."""
    from talkie.transports.tls import self_signed

    for path in (*self_signed(directory, ["localhost"]), directory):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return directory


def _spoken(directory: Path) -> Path:
    [recording] = synthesize(directory, SENTENCES["en"][:1])
    return recording.path


def _seconds(audio: Path) -> float:
    import soundfile

    return float(soundfile.info(str(audio)).duration)
