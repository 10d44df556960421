"""A face of mouth pictures: the right picture at the right time, faded into the next, over whatever lies beneath."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from avatar_packs import write_picture, write_pictures
from talkie.errors import BadAvatar, InvalidValue
from talkie.models.avatar_pack import read_pack
from talkie.pipeline.face_pictures import PicturesFace, letter_of
from talkie.pipeline.face_track import Moment
from talkie.types import Mark
from talkie.video.mouth_pictures import LETTERS, MouthPictures, contact_sheet, faded, stand_in


@pytest.fixture
def face(tmp_path: Path) -> PicturesFace:
    return PicturesFace(read_pack(write_pictures(tmp_path / "grey")))


def grey_of(letter: str) -> int:
    """As `write_pictures` paints it."""
    return 20 * (1 + LETTERS.index(letter))


def test_each_shape_is_its_picture_with_a_short_fade(face: PicturesFace) -> None:
    at = np.arange(32_000) / 16_000
    sound = (0.3 * np.sign(np.sin(2 * np.pi * 140 * at))).astype(np.float32)
    line = face.open()
    marks = [Mark("viseme", letter, at / 4, at / 4 + 0.25) for at, letter in enumerate("DACFHGBX")]
    greys = [int(picture[40, 32, 0]) for picture in (*line.feed(sound, marks), *line.finish())]
    assert len(greys) == 50
    for place, letter in enumerate("DACFHGBX"):
        assert greys[round((place / 4 + 0.14) * 25)] == grey_of(letter), letter
    between = [grey for grey in greys if grey not in {grey_of(letter) for letter in LETTERS}]
    assert 4 <= len(between) <= 9, "one picture of each change lies between"


def test_silence_is_the_shut_mouth(face: PicturesFace) -> None:
    line = face.open()
    for picture in (*line.feed(np.zeros(16_000, np.float32)), *line.finish(), line.idle()):
        assert (picture == grey_of("X")).all()


def test_without_marks_the_louder_the_wider() -> None:
    def heard(wide: float, letter: str = "D") -> str:
        return letter_of(Moment((("X", 1 - wide), (letter, wide)), by_sound=True))

    assert [heard(wide) for wide in (0.05, 0.3, 0.6, 1.0)] == ["X", "B", "C", "D"]
    assert heard(0.5, "E") == "F"
    assert letter_of(Moment((("D", 1.0),), lips=0.9)) == "A"
    assert letter_of(Moment((("D", 0.4), ("F", 0.6)))) == "F"


def test_eyes_blink_and_the_mouth_goes_on(tmp_path: Path) -> None:
    face = PicturesFace(read_pack(write_with_eyes(tmp_path)))
    line = face.open()
    pictures = [line.idle() for _ in range(25 * 30)]
    shut = [(picture[10, 32] == 5).all() for picture in pictures]
    assert 2 <= sum(shut) < 150
    assert all((picture[50, 32] == 200).all() for picture in pictures), "the mouth is the one at rest"


def write_with_eyes(directory: Path) -> Path:
    """Pictures whose lower half is the mouth, and whose upper half are the eyes."""
    pack = write_pictures(directory / "eyes", "AX", blink=True)
    for name, eyes, mouth in (("A", 150, 20), ("X", 150, 200), ("blink", 5, 20)):
        image = Image.new("RGB", (64, 64), (eyes,) * 3)
        image.paste((mouth,) * 3, (16, 40, 48, 60))
        image.save(pack / f"{name}.png")
    return pack


def test_transparent_mouths_lie_over_the_base(tmp_path: Path) -> None:
    base = write_picture(tmp_path / "base.png", (40, 40), 90)
    Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(tmp_path / "X.png")
    mouth = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    mouth.paste((255, 0, 0, 255), (10, 20, 30, 30))
    mouth.save(tmp_path / "D.png")
    pictures = MouthPictures({"X": tmp_path / "X.png", "D": tmp_path / "D.png"}, 40, 40, base=base)
    assert (pictures.rest == 90).all()
    assert pictures.box == (8, 18, 32, 32)
    wide = pictures.face(pictures.mouth("D"), blink=False)
    assert wide[25, 20].tolist() == [0, 0, 255], "B G R"
    assert wide[5, 5].tolist() == [90, 90, 90]
    assert np.array_equal(pictures.mouth("C"), pictures.mouth("D")), "the nearest stands in"


@pytest.mark.parametrize(("wish", "size"), [({}, (64, 64)), ({"width": 32}, (32, 32)), ({"height": 100}, (100, 100))])
def test_it_has_the_size_that_is_asked_for(tmp_path: Path, wish: dict[str, int], size: tuple[int, int]) -> None:
    face = PicturesFace(read_pack(write_pictures(tmp_path / "grey")), **wish)
    assert (face.info.width, face.info.height) == size
    assert face.open().idle().shape == (size[1], size[0], 3)


def test_sizes_and_damaged_pictures_are_refused(tmp_path: Path) -> None:
    pack = read_pack(write_pictures(tmp_path / "grey", "AX"))
    with pytest.raises(InvalidValue):
        PicturesFace(pack, width=5000)
    pack.pictures["A"].write_bytes(pack.pictures["A"].read_bytes()[:-30])
    with pytest.raises(BadAvatar) as error:
        PicturesFace(pack)
    assert error.value.where == "A.png"


def test_near_mouths_and_fades() -> None:
    assert [stand_in(letter, "ADX") for letter in LETTERS] == ["A", "A", "D", "D", "D", "A", "A", "D", "X"]
    assert stand_in("X", "D") == "D"
    dark, light = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 200, np.uint8)
    assert faded(dark, light, 0.5).max() == 100
    assert np.array_equal(faded(dark, light, 1.0), light)


def test_a_sheet_shows_all(face: PicturesFace, tmp_path: Path) -> None:
    pack = read_pack(tmp_path / "grey")
    sheet = contact_sheet(MouthPictures(pack.pictures, 16, 16))
    assert sheet.shape == (48, 48, 3)
    assert [int(sheet[8 + 16 * (at // 3), 8 + 16 * (at % 3), 0]) for at in range(9)] == [
        grey_of(one) for one in LETTERS
    ]
