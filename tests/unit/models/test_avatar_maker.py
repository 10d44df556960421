"""A folder of mouth pictures becomes a pack: whatever its pictures are called, or a word about what is wrong."""

from pathlib import Path

import pytest

from avatar_packs import write_picture
from talkie.cli.avatar_new import new
from talkie.errors import AvatarExists, BadAvatar
from talkie.models.avatar_maker import make_pack, mouth_names
from talkie.models.avatar_pack import read_pack


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lisa").mkdir()
    return tmp_path / "lisa"


def draw(folder: Path, *names: str, size: tuple[int, int] = (48, 48)) -> None:
    for number, name in enumerate(names):
        write_picture(folder / name, size, 20 + 20 * number)


@pytest.mark.parametrize(
    ("names", "letters"),
    [
        ("A B X", "A B X"),
        ("lisa-A lisa-D lisa_x", "A D X"),
        ("mouth.closed mouth.open mouth.round", "X D E"),
        ("AI E O U L WQ MBP FV etc rest", "D C E F H F A G B X"),
        ("v_sil v_PP v_FF v_TH v_aa v_E v_ih v_oh v_ou", "X A G B D C B E F"),
        ("A thumb Q", "A"),
    ],
)
def test_sets_of_many_tools_are_known(names: str, letters: str) -> None:
    assert " ".join(mouth_names(names.split()).values()) == letters


def test_a_pack_is_written_and_what_is_missing_is_said(folder: Path, tmp_path: Path) -> None:
    draw(folder, "lisa-A.png", "lisa-C.png", "lisa-D.png", "lisa-X.png", "blink.png", "notes.png")
    (folder / "readme.txt").write_text("not a picture")
    made = make_pack(folder, tmp_path / "pack", name="lisa", title='Lisa "L" \\', licence="CC0-1.0")
    pack = read_pack(tmp_path / "pack")
    assert (pack.name, pack.title, pack.kind, pack.licence) == ("lisa", 'Lisa "L" \\', "pictures", "CC0-1.0")
    assert {letter: path.name for letter, path in pack.pictures.items()} == {
        "A": "A.png", "B": "C.png", "C": "C.png", "D": "D.png", "E": "C.png", "F": "A.png", "G": "A.png", "H": "C.png",
        "X": "X.png",
    }  # fmt: skip
    assert pack.blink is not None
    codes = [notice.code for notice in made.notices]
    assert codes == ["mouth_filled"] * 5 + ["picture_unused"]
    assert "notes.png" in made.notices[-1].message


def test_pictures_of_different_sizes_are_refused_and_nothing_is_left(folder: Path, tmp_path: Path) -> None:
    draw(folder, "A.png")
    draw(folder, "X.png", size=(50, 48))
    with pytest.raises(BadAvatar, match="X"):
        make_pack(folder, tmp_path / "pack")
    assert not (tmp_path / "pack").exists()


def test_a_damaged_picture_is_refused_and_nothing_is_left(folder: Path, tmp_path: Path) -> None:
    draw(folder, "A.png", "X.png")
    (folder / "A.png").write_bytes(b"\x89PNG\r\n\x1a\n rubbish")
    with pytest.raises(BadAvatar, match="A"):
        make_pack(folder, tmp_path / "pack")
    assert not (tmp_path / "pack").exists()


def test_a_folder_without_mouths_says_how_to_name_them(folder: Path, tmp_path: Path) -> None:
    draw(folder, "holiday.png")
    with pytest.raises(BadAvatar) as error:
        make_pack(folder, tmp_path / "pack")
    assert "A.png" in error.value.hint
    with pytest.raises(BadAvatar):
        make_pack(folder / "nowhere", tmp_path / "pack")


def test_nothing_is_written_over(folder: Path, tmp_path: Path) -> None:
    draw(folder, "A.png", "X.png")
    (tmp_path / "pack").mkdir()
    with pytest.raises(AvatarExists):
        make_pack(folder, tmp_path / "pack")


def test_the_command_tells_where_the_pack_and_the_sheet_are(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw(folder, "A.png", "D.png", "X.png", size=(400, 300))
    new(folder, None, "", "", "CC0-1.0")
    out, err = capsys.readouterr()
    pack, sheet = folder.with_name("lisa-avatar"), folder.with_name("lisa-avatar.png")
    assert out.split() == ["pack", str(pack), "sheet", str(sheet)]
    assert sheet.read_bytes().startswith(b"\x89PNG")
    assert "B" in err
    assert "talkie avatar add" in err
    assert (read_pack(pack).width, read_pack(pack).height) == (400, 300)
