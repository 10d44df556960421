from __future__ import annotations

from pathlib import Path

import pytest

from avatar_packs import write_neural, write_picture, write_pictures, write_video
from talkie.errors import BadAvatar
from talkie.models.avatar_boxes import Box, read_boxes
from talkie.models.avatar_files import LETTERS
from talkie.models.avatar_findings import Findings
from talkie.models.avatar_pack import look_at, read_pack
from talkie.models.avatar_table import KEYS, is_inside, name_fault


def faults(directory: Path) -> list[tuple[str, str]]:
    findings = Findings()
    look_at(directory, findings)
    return [(one.where, one.what) for one in findings.found if one.level == "error"]


def rewrite(directory: Path, table: str) -> Path:
    (directory / "avatar.toml").write_text(table)
    return directory


def test_what_is_not_said_has_a_default(tmp_path: Path) -> None:
    pack = read_pack(write_neural(tmp_path / "anna", frames=11))
    assert (pack.name, pack.title, pack.kind, pack.fps) == ("anna", "Anna", "neural", 25.0)
    assert (pack.width, pack.height) == (96, 80) and pack.boxes == (Box(16, 8, 64),)
    assert (pack.colour_order, pack.closed, pack.feather) == ("bgr", "network", 0.04)
    assert (pack.face, pack.encoder) == (pack.directory / "face.onnx", pack.directory / "audio_encoder.onnx")
    assert [path.stem for path in pack.frames] == [str(number) for number in range(1, 12)], "10 comes after 9"
    assert pack.rest == pack.frames[0] and not pack.is_video


def test_what_is_said_is_so(tmp_path: Path) -> None:
    said = write_neural(
        tmp_path / "x",
        table="""
name = "bert"
kind = "neural"
consent = "Bert, 3 May"
fps = 25
width = 96
height = 80
colour_order = "rgb"
frames = "film.mp4"
boxes = "where.json"
face = "nets/f.onnx"
encoder = "nets/e.onnx"
closed = "shut.png"
feather = 0.1
""",
    )
    write_video(said / "film.mp4")
    write_picture(said / "shut.png", (96, 80), 9)
    (said / "where.json").write_text("[[0, 0, 64, 64], [1, 1, 65, 65], [2, 2, 66, 66], [0, 0, 64, 64], [0, 0, 64, 64]]")
    (said / "nets").mkdir()
    (said / "face.onnx").rename(said / "nets" / "f.onnx")
    (said / "audio_encoder.onnx").rename(said / "nets" / "e.onnx")
    pack = read_pack(said)
    assert (pack.name, pack.title, pack.consent, pack.colour_order) == ("bert", "Anna", "Bert, 3 May", "rgb")
    assert pack.is_video and pack.frames == (said / "film.mp4",) and (pack.width, pack.height) == (96, 80)
    assert len(pack.boxes) == 5 and pack.boxes[1] == (1, 1, 64)
    assert (pack.closed, pack.feather, pack.face) == (said / "shut.png", 0.1, said / "nets" / "f.onnx")
    assert read_pack(said, "other").name == "other"


def test_pictures_of_mouths(tmp_path: Path) -> None:
    pack = read_pack(write_pictures(tmp_path / "bob", "ABX", table="fps = 30\n", blink=True))
    assert (pack.kind, pack.fps, pack.width, list(pack.pictures)) == ("pictures", 30.0, 64, ["A", "B", "X"])
    assert pack.blink == pack.directory / "blink.png" and pack.rest == pack.directory / "X.png"
    bare = write_pictures(tmp_path / "carl", "".join(LETTERS))
    assert len(read_pack(rewrite(bare, 'kind = "pictures"')).pictures) == 9, "they need no names"
    (bare / "m").mkdir()
    (bare / "A.png").rename(bare / "m" / "A.png")
    pack = read_pack(rewrite(bare, 'pictures = "m"\nbase = "B.png"'))
    assert list(pack.pictures) == ["A"] and pack.rest == bare / "B.png"


@pytest.mark.parametrize(
    ("line", "where", "what"),
    [
        ("fsp = 25", "fsp", "no such key"),
        ("fps = 30", "fps", "25 pictures a second"),
        ("fps = true", "fps", "number from 1 to 60"),
        ("fps = nan", "fps", "number from 1 to 60"),
        ('fps = "25"', "fps", "number from 1 to 60"),
        ("feather = 0.5", "feather", "0 to 0.25"),
        ('colour_order = "grb"', "colour_order", "one of bgr, rgb"),
        ('kind = "drawn"', "kind", "one of neural, pictures"),
        ("width = 97", "width", "says 97 px, and the first picture has 96"),
        ("height = 1e3", "height", "whole number"),
        ('licence = "a\\nb"', "licence", "in one line"),
        ("title = 3", "title", "a text"),
        ('name = "talkie"', "name", "Talkie's own"),
        ('name = "../x"', "name", "small letters"),
        ('blink = "b.png"', "blink", "belongs to a pack of kind pictures"),
        ('face = "/etc/passwd"', "face", "a file of the pack"),
        ('face = "../face.onnx"', "face", "a file of the pack"),
        ('face = "frames/1.png"', "face", "ends in none of .onnx"),
        ('encoder = "e.onnx"', "encoder", "e.onnx is missing"),
        ('frames = "face.onnx"', "frames", "ends in none of .mp4"),
        ('frames = "film.mp4"', "frames", "film.mp4 is missing"),
        ('closed = "open"', "closed", "ends in none of"),
        ("closed = 3", "closed", "a file of the pack"),
        ('box = [0, 0, 64, 64]\nboxes = "b.txt"', "boxes", "which one?"),
        ("box = [0, 0, 64, 65]", "box", "64 px wide and 65 px high"),
        ("box = [0, 0, 64]", "box", "four whole numbers"),
        ("box = [0, 0, 64.5, 64.5]", "box", "four whole numbers"),
        ("box = [64, 64, 0, 0]", "box", "smaller than 16 px"),
        ("box = [96, 0, 160, 64]", "boxes", "box 1 lies outside the frame of 96x80"),
        ("box = [60, 0, 140, 80]", "boxes", "more than half of box 1"),
    ],
)
def test_each_fault_of_the_table_is_told(tmp_path: Path, line: str, where: str, what: str) -> None:
    found = faults(write_neural(tmp_path / "anna", frames=1, table=line + "\n"))
    assert len(found) == 1 and found[0][0] == where and what in found[0][1], found


def test_all_faults_are_found_at_once(tmp_path: Path) -> None:
    pack = write_neural(tmp_path / "anna", frames=1, table='colour = "rgb"\nfps = 12\nname = "A b"\n')
    (pack / "face.onnx").unlink()
    assert [where for where, _ in faults(pack)] == ["colour", "name", "fps", "face"]
    with pytest.raises(BadAvatar, match=r"colour: there is no such key.*3 more.*avatar check") as told:
        read_pack(pack)
    assert told.value.hint == "Did you mean colour_order?"


def test_tables_that_are_none(tmp_path: Path) -> None:
    assert faults(tmp_path)[0][0] == "avatar.toml"
    for bad in (b"name = ", b"\xff\xfe", b"[" * 100_000, b"#" * 1_100_000):
        (tmp_path / "avatar.toml").write_bytes(bad)
        assert [where for where, _ in faults(tmp_path)] == ["avatar.toml"]
    (tmp_path / "avatar.toml").unlink()
    (tmp_path / "avatar.toml").symlink_to("/etc/hostname")
    assert "no plain file" in faults(tmp_path)[0][1]


def test_an_empty_table_needs_the_files(tmp_path: Path) -> None:
    (tmp_path / "anna").mkdir()
    found = dict(faults(rewrite(tmp_path / "anna", "")))
    assert set(found) == {"frames", "boxes", "face", "encoder"}


def test_mouths_that_are_missing_or_none(tmp_path: Path) -> None:
    assert ("pictures", "the closed mouth, A, is missing.") in faults(write_pictures(tmp_path / "a", "BC"))
    found = faults(write_pictures(tmp_path / "b", "AB", table="pictures2 = 1\nbox = [0, 0, 32, 32]\n"))
    assert [where for where, _ in found] == ["pictures2", "box"]
    pack = write_pictures(tmp_path / "c", "AB")
    assert "'Q' is no mouth shape" in faults(rewrite(pack, 'pictures = { A = "A.png", Q = "B.png" }'))[0][1]
    assert "../A.png" not in faults(rewrite(pack, 'pictures = { A = "A.png", B = "../A.png" }'))[0][1]
    assert "no picture of a mouth" in faults(rewrite(pack, "pictures = {}"))[0][1]


def test_boxes_as_tools_write_them(tmp_path: Path) -> None:
    path = tmp_path / "boxes.txt"
    for text in (
        "0 0 32 32\n1,2,33,34\n",
        "# left top right bottom\n0.0\t0 32 32\n\n1; 2; 33; 34 # second",
        "[[0,0,32,32],[1,2,33,34]]",
    ):
        path.write_text(text)
        findings = Findings()
        assert read_boxes(None, path, findings) == (Box(0, 0, 32), Box(1, 2, 32)) and findings.found == []
    for text in ("", "left top", "0 0 32 x", "[1, 2]", "[" * 100_000, "1e400 0 0 0", "nan 0 0 0"):
        path.write_text(text)
        findings = Findings()
        assert read_boxes(None, path, findings) == () and not findings.ok, text


def test_names_and_paths() -> None:
    assert not any(name_fault(name) for name in ("a", "anna-2", "a.b_c", "x" * 64))
    assert all(
        name_fault(name) for name in ("", "A", "-a", ".a", "a/b", "a..b", "a b", "x" * 65, "talkie", "auto", "ä")
    )
    assert all(is_inside(name) for name in ("a", "a/b.png", "./a"))
    assert not any(is_inside(name) for name in ("", ".", "..", "a/../../b", "/a", "~/a", "a\\b", "c:a", "a\n", "a\0"))


def test_the_keys_are_the_documented_ones() -> None:
    told = (Path(__file__).parents[3] / "docs" / "avatars.md").read_text()
    assert all(f"`{key}`" in told for key in KEYS)
