"""Takes out of a directory of packages what a form of Talkie does not need, by `left-out.toml`.

Knows nothing of Talkie and of images: a directory (site-packages, or what PyInstaller gathered) and a list come in,
files go. Where binutils are, libraries lose their symbols for debuggers and some are replaced by stand-ins; where they
are not, that is said and the result is larger.

    slim.py SITE --form cpu [--keep NAME]... [--bytecode]
"""

from __future__ import annotations

import argparse
import compileall
import platform
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
LIST = HERE / "left-out.toml"
FORMS = ("cpu", "cuda", "bundle")
BINUTILS = ("strip", "nm", "as", "ld", "readelf")
_ELF = b"\x7fELF"
_FUNCTIONS = "TtWi"
_RETURN = {
    "x86_64": "mov ${answer}, %eax\nret",
    "aarch64": "ldr w0, ={answer}\nmov w0, w0\nret",
}


@dataclass(frozen=True, slots=True)
class LeftOut:
    name: str
    forms: tuple[str, ...]
    paths: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class StandIn:
    """`answer` is what every function of the stand-in returns; what lies at `with_it` served that library alone."""

    name: str
    forms: tuple[str, ...]
    library: str
    answer: int
    why: str
    with_it: tuple[str, ...] = ()


def read_list(path: Path = LIST) -> tuple[list[LeftOut], list[StandIn]]:
    """Raises `TypeError` for a key that is unknown or missing."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    plain = [
        LeftOut(**{**row, "forms": tuple(row["forms"]), "paths": tuple(row["paths"])}) for row in table["left_out"]
    ]
    stand_ins = [
        StandIn(**{**row, "forms": tuple(row["forms"]), "with_it": tuple(row.get("with_it", ()))})
        for row in table["stand_in"]
    ]
    return plain, stand_ins


def slim(site: Path, form: str, keep: Sequence[str] = ()) -> Iterator[tuple[str, int]]:
    """Each thing done, and the bytes it spared."""
    plain, stand_ins = read_list()
    for row in plain:
        if form in row.forms and row.name not in keep:
            yield row.name, remove(site, row.paths)
    if missing := [program for program in BINUTILS if shutil.which(program) is None]:
        print(f"note: no {', '.join(missing)}: libraries stay as they are. Install binutils.", file=sys.stderr)
        return
    for one in stand_ins:
        if form in one.forms and one.name not in keep:
            spared = sum(replace(site, path, one.answer) for path in sorted(site.glob(one.library)))
            yield one.name, spared + (remove(site, one.with_it) if spared else 0)
    yield "symbols", sum(strip(path) for path in libraries(site))


def remove(site: Path, patterns: Sequence[str]) -> int:
    spared = 0
    for path in [found for pattern in patterns for found in site.glob(pattern)]:
        spared += size(path)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)  # two patterns may name it
    return spared


def size(path: Path) -> int:
    """Of a file, or of all below a directory; nothing where nothing is."""
    if path.is_dir() and not path.is_symlink():
        return sum(size(inner) for inner in path.iterdir())
    return path.lstat().st_size if path.is_symlink() or path.exists() else 0


def libraries(site: Path) -> list[Path]:
    found = [path for path in site.rglob("*.so*") if path.is_file() and not path.is_symlink()]
    return [path for path in found if _begins(path, _ELF)]


def _begins(path: Path, with_bytes: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(with_bytes)) == with_bytes


def strip(path: Path) -> int:
    """A library that cannot be stripped is kept as it is: those that wheels bring have been edited after they were
    linked, and some come out of it in pieces that cannot be mapped. A new file takes the place of the old one, which
    may be linked from a cache of downloads."""
    before = path.stat().st_size
    with tempfile.TemporaryDirectory() as work:
        made = Path(work) / path.name
        done = subprocess.run(
            ["strip", "--strip-unneeded", "-o", str(made), str(path)], capture_output=True, check=False
        )
        if done.returncode == 0 and made.stat().st_size < before and can_be_mapped(made):
            _put(made, path)
    return before - path.stat().st_size


def can_be_mapped(library: Path) -> bool:
    """Whether the parts of it that are loaded lie in the file as they must in memory, to the page."""
    told = _run("readelf", "--segments", "--wide", str(library))
    loaded = [line.split() for line in told.splitlines() if line.split()[:1] == ["LOAD"]]
    rows = [(int(words[1], 16), int(words[2], 16), int(words[-1], 16)) for words in loaded]
    return bool(rows) and all((offset - address) % page == 0 for offset, address, page in rows)


def replace(site: Path, library: Path, answer: int) -> int:
    """A library of the same name whose functions, those that others call, all return `answer`. One that has data
    which others read is kept."""
    before = library.stat().st_size
    exported, wanted = symbols(library, "--defined-only"), called_by_others(site, library)
    wanted = {name: version for name, version in wanted.items() if name in exported}
    if any(exported[name] not in _FUNCTIONS for name in wanted):
        print(f"note: {library.name} has data that others read; it stays.", file=sys.stderr)
        return 0
    with tempfile.TemporaryDirectory() as work:
        source, thing, script, made = (Path(work) / name for name in ("a.s", "a.o", "a.map", library.name))
        source.write_text(_assembly(sorted(wanted), answer), encoding="ascii")
        script.write_text(_versions(wanted), encoding="ascii")
        subprocess.run(["as", "-o", str(thing), str(source)], check=True)
        told = ["--version-script", str(script)] if any(wanted.values()) else []
        subprocess.run(["ld", "-shared", "-soname", library.name, *told, "-o", str(made), str(thing)], check=True)
        _put(made, library)
    return before - library.stat().st_size


def called_by_others(site: Path, library: Path) -> dict[str, str]:
    """The symbols that the libraries linked to this one do not have themselves, each with its version or nothing."""
    found: dict[str, str] = {}
    for other in libraries(site):
        if other != library and library.name in _run("readelf", "--dynamic", "--wide", str(other)):
            found.update(dict.fromkeys(symbols(other, "--undefined-only"), "") | _wanted_versions(other))
    return found


def symbols(library: Path, which: str) -> dict[str, str]:
    """Names and nm's letters for what they are."""
    rows = [line.split() for line in _run("nm", "-D", which, str(library)).splitlines() if line.strip()]
    return {words[-1].partition("@")[0]: words[-2] for words in rows}


def _wanted_versions(library: Path) -> dict[str, str]:
    names = [
        line.split()[-1] for line in _run("nm", "-D", "--undefined-only", str(library)).splitlines() if "@" in line
    ]
    return {name.partition("@")[0]: name.rpartition("@")[2] for name in names}


def _assembly(names: Sequence[str], answer: int) -> str:
    body = _RETURN[platform.machine()].format(answer=answer)
    code = [f".globl {name}\n.type {name}, %function\n{name}:\n{body}\n" for name in names]
    return "".join([".text\n", *code, '.section .note.GNU-stack,"",%progbits\n'])


def _versions(wanted: dict[str, str]) -> str:
    """A script for ld: without it the linker of a process complains of versions that are gone."""
    versions = sorted({version for version in wanted.values() if version})
    lines = [
        f"{one} {{ {' '.join(f'{name};' for name in sorted(wanted) if wanted[name] == one)} }};" for one in versions
    ]
    return "\n".join(lines) + "\n"


def _run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _put(made: Path, place: Path) -> None:
    mode = place.stat().st_mode
    place.unlink()
    shutil.copyfile(made, place)
    place.chmod(mode)


def bytecode_alone(site: Path) -> int:
    """Compiled modules in place of their sources, which nothing reads at run time. Bytes spared, without counting
    what `__pycache__` would have taken. What cannot be compiled keeps its source."""
    for cache in list(site.rglob("__pycache__")):
        shutil.rmtree(cache)
    before = size(site)
    compileall.compile_dir(site, quiet=2, legacy=True, workers=0, stripdir=str(site), prependdir="/talkie")
    for source in list(site.rglob("*.py")):
        if source.with_suffix(".pyc").exists():
            source.unlink()
    return before - size(site)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("site", type=Path, help="site-packages, or a directory that is laid out like it")
    parser.add_argument("--form", choices=FORMS, required=True)
    parser.add_argument("--keep", action="append", default=[], help="a name of the list that stays")
    parser.add_argument("--bytecode", action="store_true", help="compiled modules alone, without their sources")
    given = parser.parse_args()
    if not given.site.is_dir():
        parser.error(f"there is no directory {given.site}")
    before = size(given.site)
    for name, spared in slim(given.site, given.form, given.keep):
        print(f"{name:20} {spared / 1e6:8.1f} MB")
    if given.bytecode:
        print(f"{'bytecode':20} {bytecode_alone(given.site) / 1e6:8.1f} MB")
    print(f"{'from, to':20} {before / 1e6:8.1f} MB {size(given.site) / 1e6:8.1f} MB")


if __name__ == "__main__":
    main()
