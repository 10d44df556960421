"""Environments of engines, with a uv that only writes down what it is asked: whole or not there, fetched once."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections import namedtuple
from pathlib import Path

import pytest

from talkie.environments import install as module
from talkie.environments.install import Wish, install
from talkie.environments.installed import MARKER, directory_of, find, interpreter, part_of, remove
from talkie.environments.table import CHATTERBOX, RECIPES, Recipe, recipe
from talkie.environments.uv import Step, find_uv, run_step
from talkie.errors import EngineFailed, EngineUnavailable, InvalidValue, StoreFull

FAKE_UV = f"""#!{sys.executable}
import os, pathlib, sys
here = pathlib.Path(__file__).parent
words = sys.argv[1:]
with (here / "log").open("a") as file:
    file.write(" ".join(words) + "\\n")
(pathlib.Path(os.environ["UV_CACHE_DIR"]) / "wheel").write_bytes(bytes(1000))
if words[0] == "venv":
    target = pathlib.Path(words[-1])
    (target / "bin").mkdir(parents=True)
    python = target / "bin" / "python"
    python.write_text("#!/bin/sh\\n" + (here / "python").read_text())
    python.chmod(0o755)
elif words[1] == "freeze":
    print("one==1.0\\ntwo==2.0")
elif (here / "broken").exists():
    sys.exit("error: no network, and a secret is " + os.environ.get("TALKIE_API_KEY", "not to be seen"))
else:
    (pathlib.Path(words[words.index("--python") + 1]).parent.parent / "library").write_bytes(bytes(5000))
"""


@pytest.fixture
def uv(tmp_path: Path) -> Path:
    path = tmp_path / "tools" / "uv"
    path.parent.mkdir()
    path.write_text(FAKE_UV)
    path.chmod(0o755)
    (path.parent / "python").write_text("exit 0\n")
    return path


@pytest.fixture
def wish(tmp_path: Path, uv: Path) -> Wish:
    return Wish(tmp_path / "home", uv)


def asked(uv: Path) -> list[str]:
    log = uv.with_name("log")
    return log.read_text().splitlines() if log.exists() else []


def test_it_is_made_once_from_the_list_and_its_hashes(wish: Wish, uv: Path) -> None:
    told: list[tuple[int, int, str]] = []
    made = install(CHATTERBOX, wish, lambda *one: told.append(one))
    assert made.current
    assert made.packages == ("one==1.0", "two==2.0")
    assert made.python == wish.home / "engines" / "chatterbox" / "bin" / "python"
    venv, packages, _freeze = asked(uv)
    assert "--relocatable" in venv
    assert packages.endswith(f"--no-deps --require-hashes --only-binary :all: -r {CHATTERBOX.lock}")
    assert find(CHATTERBOX, wish.home) == made
    assert not part_of(directory_of(CHATTERBOX, wish.home)).exists()
    assert told[-1] == (CHATTERBOX.disk_bytes, CHATTERBOX.disk_bytes, "")
    assert {what for *_, what in told} == {"a bare environment", "packages", "a first start", ""}
    before = asked(uv)
    assert install(CHATTERBOX, wish) == made
    assert asked(uv) == before


def test_one_that_breaks_off_is_not_there_and_goes_on(wish: Wish, uv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALKIE_API_KEY", "hunter2")
    broken = uv.with_name("broken")
    broken.touch()
    with pytest.raises(EngineFailed, match=r"packages.*\n?.*not to be seen"):
        install(CHATTERBOX, wish)
    assert find(CHATTERBOX, wish.home) is None
    fetched = part_of(directory_of(CHATTERBOX, wish.home)) / "fetched" / "wheel"
    assert fetched.stat().st_size == 1000, "what was fetched stays for the next time"
    broken.unlink()
    assert install(CHATTERBOX, wish).current
    assert not fetched.exists()


def test_one_that_does_not_start_is_not_there(wish: Wish, uv: Path) -> None:
    uv.with_name("python").write_text("echo no watermark >&2; exit 1\n")
    with pytest.raises(EngineFailed, match=r"a first start.*\n?.*no watermark"):
        install(CHATTERBOX, wish)
    assert find(CHATTERBOX, wish.home) is None


def test_a_stale_one_is_told_apart_and_made_anew(wish: Wish, uv: Path) -> None:
    install(CHATTERBOX, wish)
    marker = directory_of(CHATTERBOX, wish.home) / MARKER
    marker.write_text(json.dumps({**json.loads(marker.read_text()), "fingerprint": "older"}))
    stale = find(CHATTERBOX, wish.home)
    assert stale is not None
    assert not stale.current
    model = wish.home / "models" / "m"
    with pytest.raises(EngineUnavailable, match="another version"):
        interpreter(CHATTERBOX, model)
    made = install(CHATTERBOX, wish)
    assert interpreter(CHATTERBOX, model) == made.python
    marker.write_text("{")
    assert find(CHATTERBOX, wish.home) is None


def test_offline_and_without_room_nothing_is_begun(wish: Wish, uv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EngineUnavailable, match="offline mode") as offline:
        install(CHATTERBOX, Wish(wish.home, uv, offline=True))
    assert "copy" in offline.value.hint
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _path: usage(10**10, 0, 10**9))
    with pytest.raises(StoreFull, match="1,000 MB are free"):
        install(CHATTERBOX, wish)
    assert asked(uv) == []


def test_removing_sets_free_what_is_left_of_unfinished_ones_too(wish: Wish, uv: Path) -> None:
    install(CHATTERBOX, wish)
    part = part_of(directory_of(CHATTERBOX, wish.home))
    part.mkdir()
    (part / "wheel").write_bytes(bytes(100))
    assert remove(CHATTERBOX, wish.home) > 5100
    assert not part.exists()
    assert find(CHATTERBOX, wish.home) is None
    assert remove(CHATTERBOX, wish.home) == 0


def test_two_makers_make_it_once(wish: Wish, uv: Path) -> None:
    made = []
    threads = [threading.Thread(target=lambda: made.append(install(CHATTERBOX, wish))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(made) == 2
    assert sum(line.startswith("venv") for line in asked(uv)) == 1


def test_who_waits_no_longer_ends_the_program(tmp_path: Path) -> None:
    def looking() -> None:
        raise KeyboardInterrupt

    pid = tmp_path / "pid"
    command = (
        sys.executable,
        "-c",
        f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(600)",
    )
    with pytest.raises(KeyboardInterrupt):
        run_step(
            "it", Step("waiting", command), looking=lambda: looking() if pid.exists() and pid.read_text() else None
        )
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
    with pytest.raises(EngineFailed, match="waiting"):
        run_step("it", Step("waiting", command, limit_s=0.1))


@pytest.mark.parametrize("one", RECIPES, ids=lambda one: one.name)
def test_lists_pin_every_package_by_hash(one: Recipe) -> None:
    text = one.lock.read_text()
    entries = [entry for entry in text.replace("\\\n", " ").splitlines() if entry and not entry.startswith("#")]
    assert entries
    for entry in entries:
        assert "==" in entry.split()[0], entry[:80]
        assert "--hash=sha256:" in entry, entry[:80]
    assert one.packages == len({entry.split("==")[0] for entry in entries})
    compile(one.check, one.name, "exec")


def test_chatterbox_has_its_watermark() -> None:
    """perth, without which it says nothing, needs a setuptools that still has pkg_resources."""
    [line] = [line for line in CHATTERBOX.lock.read_text().splitlines() if line.startswith("setuptools==")]
    assert int(line.partition("==")[2].partition(".")[0]) < 81
    assert "PerthImplicitWatermarker()" in CHATTERBOX.check


def test_names_and_tools_that_are_not_there(tmp_path: Path, uv: Path) -> None:
    with pytest.raises(InvalidValue) as unknown:
        recipe("bark")
    assert "chatterbox" in unknown.value.hint
    with pytest.raises(EngineUnavailable, match="no uv program"):
        find_uv(tmp_path / "nowhere")
    assert find_uv(uv) == uv
