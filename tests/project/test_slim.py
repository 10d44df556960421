"""What is left out of the image and the bundle: the list fits what is installed, and its script does what it says."""

from __future__ import annotations

import ctypes
import importlib.util
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import ModuleType

import pytest

from sources import ROOT, SOURCE

SITE = Path(sysconfig.get_path("purelib"))
NO = 77


@pytest.fixture(scope="module")
def slim() -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("slim_of_deploy", ROOT / "deploy" / "slim" / "slim.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_the_list_is_sound(slim: ModuleType) -> None:
    plain, stand_ins = slim.read_list()
    names = [one.name for one in (*plain, *stand_ins)]
    assert len(names) == len(set(names))
    for one in (*plain, *stand_ins):
        assert one.forms
        assert set(one.forms) <= set(slim.FORMS)
        assert " MB" in one.why, f"{one.name} does not say how much it spares"


@pytest.mark.skipif(platform.machine() != "x86_64", reason="other machines have other plugins")
def test_everything_on_the_list_is_installed(slim: ModuleType) -> None:
    """A version that lays its files otherwise is noticed here, and not by an image that has grown."""
    plain, stand_ins = slim.read_list()
    wanted = [(one.name, pattern) for one in plain for pattern in one.paths if not pattern.startswith("**")]
    wanted += [(one.name, pattern) for one in stand_ins for pattern in (one.library, *one.with_it)]
    assert [pair for pair in wanted if next(SITE.glob(pair[1]), None) is None] == []


def test_nothing_that_talkie_imports_when_it_starts_is_left_out(slim: ModuleType) -> None:
    """Libraries on the list are imported within functions alone, where their absence can be told."""
    plain, _ = slim.read_list()
    whole = {path for one in plain for path in one.paths if (SITE / path / "__init__.py").exists() and "/" not in path}
    assert {"ctranslate2", "onnxruntime"} <= whole
    at_once = re.compile(rf"^(?:import|from) (?:{'|'.join(sorted(whole))})\b", re.M)
    found = {path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py") if at_once.search(path.read_text())}
    assert found <= {"engines/asr/whisper/ct2.py"}, "opened by the backends, which ask first"


def test_it_removes_what_is_listed_for_a_form_and_keeps_what_is_named(slim: ModuleType, tmp_path: Path) -> None:
    for path in ("ctranslate2/__init__.py", "onnxruntime/__init__.py", "numpy/_core/tests/test_x.py", "numpy/x.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("x = 1\n", encoding="utf-8")
    done = dict(slim.slim(tmp_path, "cpu", keep=["onnxruntime"]))
    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.py"))
    assert left == ["numpy/x.py", "onnxruntime/__init__.py"]
    assert (done["ctranslate2"], done["tests"]) == (6, 6)
    assert "onnxruntime" not in done


def test_a_gpu_keeps_its_library(slim: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "ctranslate2").mkdir()
    list(slim.slim(tmp_path, "cuda"))
    assert (tmp_path / "ctranslate2").is_dir()


def test_bytecode_alone_can_be_imported(slim: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "thing.py").write_text("def f():\n    return 42\n", encoding="utf-8")
    (tmp_path / "broken.py").write_text("def f(:\n", encoding="utf-8")
    slim.bytecode_alone(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.py", "thing.pyc"]
    command = [
        sys.executable,
        "-I",
        "-c",
        f"import sys; sys.path[:0] = [{str(tmp_path)!r}]; import thing; print(thing.f())",
    ]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "42\n"


@pytest.fixture
def linked(slim: ModuleType, tmp_path: Path) -> Path:
    """`liba.so` with functions f and g of a version and some data, and `libb.so`, which is linked to it and wants f."""
    if missing := [program for program in slim.BINUTILS if shutil.which(program) is None]:
        pytest.skip(f"no {', '.join(missing)} here")
    body = slim._RETURN[slim.platform.machine()].format(answer=1)
    functions = "".join(f".globl {name}\n.type {name}, %function\n{name}:\n{body}\n" for name in "fg")
    data = ".data\n.globl d\n.type d, %object\n.size d, 8\nd: .quad 1\n.space 4096\n"
    _link(tmp_path / "liba.so", f".text\n{functions}{data}", "V_1 { f; g; d; };")
    _link(tmp_path / "libb.so", ".data\n.quad f\n", "", str(tmp_path / "liba.so"))
    return tmp_path


def _link(made: Path, code: str, versions: str, *others: str) -> None:
    source, thing, script = (made.with_suffix(ending) for ending in (".s", ".o", ".map"))
    source.write_text(code + '.section .note.GNU-stack,"",%progbits\n', encoding="ascii")
    script.write_text(versions or "{ };", encoding="ascii")
    subprocess.run(["as", "-o", str(thing), str(source)], check=True)
    told = ["--version-script", str(script)] if versions else []
    subprocess.run(["ld", "-shared", "-soname", made.name, *told, "-o", str(made), str(thing), *others], check=True)


def test_a_stand_in_answers_as_it_was_told(slim: ModuleType, linked: Path) -> None:
    before = (linked / "liba.so").stat().st_size
    assert slim.replace(linked, linked / "liba.so", NO) == before - (linked / "liba.so").stat().st_size
    assert slim.symbols(linked / "liba.so", "--defined-only").keys() - {"V_1"} == {"f"}
    stand_in = ctypes.CDLL(str(linked / "liba.so"), mode=ctypes.RTLD_GLOBAL)
    assert stand_in.f() == NO
    ctypes.CDLL(str(linked / "libb.so"))


def test_a_library_whose_data_is_read_is_kept(slim: ModuleType, linked: Path) -> None:
    _link(linked / "libc2.so", ".data\n.quad d\n", "", str(linked / "liba.so"))
    before = (linked / "liba.so").read_bytes()
    assert slim.replace(linked, linked / "liba.so", NO) == 0
    assert (linked / "liba.so").read_bytes() == before


def test_a_stripped_library_still_works(slim: ModuleType, linked: Path) -> None:
    assert slim.strip(linked / "liba.so") >= 0
    assert slim.can_be_mapped(linked / "liba.so")
    assert ctypes.CDLL(str(linked / "liba.so")).g() == 1
