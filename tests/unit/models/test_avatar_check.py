from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from avatar_packs import write_neural, write_picture, write_pictures, write_video
from face_models import copying_encoder, thin_face
from talkie.errors import BadAvatar, EngineFailed
from talkie.models import avatar_check, avatar_findings, avatar_networks, avatar_pictures
from talkie.models.avatar_check import check_pack
from talkie.models.avatar_findings import Finding, Findings
from talkie.models.avatar_pack import AvatarPack


def errors(directory: Path) -> list[Finding]:
    return [one for one in check_pack(directory)[1].found if one.level == "error"]


def the_error(directory: Path) -> Finding:
    found = errors(directory)
    assert len(found) == 1, found
    return found[0]


def test_sound_packs_have_no_findings(tmp_path: Path) -> None:
    for directory in (write_neural(tmp_path / "a"), write_pictures(tmp_path / "b", blink=True)):
        pack, findings = check_pack(directory)
        assert findings.found == [] and findings.ok and pack is not None and pack.name == directory.name


def test_every_fault_is_found_in_one_go(tmp_path: Path) -> None:
    pack = write_neural(tmp_path / "a", frames=4, table="box = [-200, 0, -100, 100]\nfpz = 1\n")
    write_picture(pack / "frames" / "2.png", (50, 80), 9)
    (pack / "frames" / "3.png").write_bytes(b"no picture")
    (pack / "face.onnx").write_bytes(b"no network")
    (pack / "audio_encoder.onnx").unlink()
    found = {(one.where, one.what.partition(":")[0]) for one in errors(pack)}
    assert found == {
        ("fpz", "there is no such key."),
        ("boxes", "box 1 lies outside the frame of 96x80 px."),
        ("encoder", "audio_encoder.onnx is missing."),
        ("frames/2.png", "it is 50x80 px, and the first picture is 96x80."),
        ("frames/3.png", "it cannot be read"),
        ("face.onnx", "it cannot be read"),
    }


def test_pictures_that_are_not_whole(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    Image.fromarray(rng.integers(0, 255, (80, 96, 3), np.uint8)).save(tmp_path / "noise.png")
    data = (tmp_path / "noise.png").read_bytes()
    pack = write_neural(tmp_path / "a")
    (pack / "frames" / "3.png").write_bytes(data[: len(data) // 2])
    assert the_error(pack).where == "frames/3.png" and "cannot be read" in the_error(pack).what


def test_many_of_one_kind_are_counted(tmp_path: Path) -> None:
    pack = write_neural(tmp_path / "a", frames=12)
    for number in range(2, 13):
        write_picture(pack / "frames" / f"{number}.png", (20, 20), 9)
    found = errors(pack)
    assert len(found) == 6 and found[-1].what == "6 more pictures are wrong in such a way."


def test_huge_frames_are_refused_by_their_header(tmp_path: Path) -> None:
    pack = write_neural(tmp_path / "a", frames=1)
    Image.new("1", (4097, 20)).save(pack / "frames" / "1.png")
    assert any("4097 px, and may be 16 to 4096" in one.what for one in errors(pack))
    header = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (200_000).to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00"
    (pack / "frames" / "1.png").write_bytes(header + bytes(4) + b"\x00\x00\x00\x00IDAT")
    assert any("200000 px" in one.what or "cannot be read" in one.what for one in errors(pack))


@pytest.mark.parametrize(
    ("room", "limit", "value", "what"),
    [
        (avatar_pictures, "MAX_PIXELS", 10_000, "there may be 1 frames, not 3"),
        (avatar_pictures, "MAX_PICTURE_BYTES", 20, "larger than 0 MiB"),
        (avatar_networks, "MAX_NETWORK_BYTES", 20, "larger than 0 MiB"),
        (avatar_check, "MAX_PACK_BYTES", 1000, "larger than 0.0 GB"),
        (avatar_check, "MAX_FILES", 4, "more than 4 files"),
    ],
)
def test_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: object, limit: str, value: int, what: str
) -> None:
    pack = write_neural(tmp_path / "a")
    monkeypatch.setattr(room, limit, value)
    assert any(what in one.what for one in errors(pack)), errors(pack)


def test_too_many_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("talkie.models.avatar_files.MAX_FRAMES", 2)
    assert the_error(write_neural(tmp_path / "a")).what == "there are 3 frames, and may be 2."


def test_boxes_and_frames_are_as_many(tmp_path: Path) -> None:
    pack = write_neural(tmp_path / "a", table='boxes = "b.txt"\n')
    (pack / "b.txt").write_text("0 0 64 64\n1 1 65 65\n")
    assert the_error(pack).what == "there are 2 boxes for 3 frames; there must be one, or one each."
    (pack / "b.txt").write_text("0 0 64 64\n1 1 65 65\n40 0 104 64\n")
    _, findings = check_pack(pack)
    assert findings.ok and [one.what for one in findings.found] == [
        "box 3 reaches over the border of the frame of 96x80 px."
    ]


def test_networks_of_another_shape(tmp_path: Path) -> None:
    pack = write_neural(tmp_path / "a")
    face, encoder = pack / "face.onnx", pack / "audio_encoder.onnx"
    thin_face(face, size=160)
    assert [one.where for one in errors(pack)] == ["face.onnx", "face.onnx"]
    assert (
        "no input is the visual one, float32 (batch, 6, 320, 320): it has float32 (?, 6, 160, 160)"
        in errors(pack)[0].what
    )
    copying_encoder(face)
    assert "has 1 inputs, and should have two" in errors(pack)[0].what
    thin_face(face)
    thin_face(encoder)
    assert "its one input should be float32 (batch, 1, 80, 16)" in the_error(pack).what
    for batch in (None, 1, 4):
        thin_face(face, batch, half=batch == 4)
        copying_encoder(encoder, batch)
        assert errors(pack) == []


def test_networks_with_parts_elsewhere(tmp_path: Path) -> None:
    pack = write_neural(tmp_path / "a")
    model = onnx.load(pack / "face.onnx")
    onnx.save(model, pack / "face.onnx", save_as_external_data=True, location="w.bin", size_threshold=0)
    assert the_error(pack).what == "its weights lie in other files."


def test_a_video_in_place_of_images(tmp_path: Path) -> None:
    pack = write_neural(tmp_path / "a", table='frames = "f.mp4"\n')
    write_video(pack / "f.mp4", 5)
    assert check_pack(pack)[1].found == []
    write_video(pack / "f.mp4", 5, fps=30)
    _, findings = check_pack(pack)
    assert findings.ok and "30 frames a second" in findings.found[0].what
    whole = write_video(pack / "f.mp4", 60).read_bytes()
    media = whole.index(b"mdat") + 4
    (pack / "f.mp4").write_bytes(whole[:media] + bytes(len(whole) - media))
    assert "cannot be read" in the_error(pack).what or "no picture" in the_error(pack).what
    (pack / "f.mp4").write_bytes(b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n/etc/passwd\n")
    assert the_error(pack).where == "f.mp4"


def test_a_video_is_as_long_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack = write_neural(tmp_path / "a", table='frames = "f.mkv"\nboxes = "b.txt"\n')
    write_video(pack / "f.mkv", 5)
    (pack / "b.txt").write_text("0 0 64 64\n" * 5)
    assert errors(pack) == []
    (pack / "b.txt").write_text("0 0 64 64\n" * 4)
    assert "there are 4 boxes for 5 frames" in the_error(pack).what
    monkeypatch.setattr(avatar_pictures, "MAX_FRAMES", 3)
    assert any("more than 3 frames" in one.what for one in errors(pack))


def test_what_lies_lowest_is_opaque(tmp_path: Path) -> None:
    pack = write_pictures(tmp_path / "a", "AX")
    write_picture(pack / "X.png", (64, 64), 9, "RGBA")
    _, findings = check_pack(pack)
    assert findings.ok and "may be transparent" in findings.found[0].what


def test_links_and_devices(tmp_path: Path) -> None:
    pack = write_neural(tmp_path / "a")
    (pack / "frames" / "4.png").symlink_to("/etc/hostname")
    assert the_error(pack).where == "frames/4.png" and "link or a device" in the_error(pack).what
    (pack / "frames" / "4.png").unlink()
    os.mkfifo(pack / "frames" / "4.png")
    assert the_error(pack).where == "frames/4.png"
    (pack / "frames" / "4.png").unlink()
    (pack / "more").symlink_to("/etc")
    assert the_error(pack).where == "more"


def test_networks_are_opened_by_the_one_who_can_and_only_in_a_sound_pack(tmp_path: Path) -> None:
    opened: list[AvatarPack] = []
    pack, findings = check_pack(write_neural(tmp_path / "a"), opened.append)
    assert opened == [pack] and findings.ok
    check_pack(write_neural(tmp_path / "b", table="fps = 1\n"), opened.append)
    check_pack(write_pictures(tmp_path / "c"), opened.append)
    assert len(opened) == 1
    for error, where in (
        (BadAvatar("face.onnx", "it is odd."), "face.onnx"),
        (EngineFailed("face", "no."), "networks"),
    ):

        def refuse(_: AvatarPack, error: Exception = error) -> None:
            raise error

        _, findings = check_pack(tmp_path / "a", refuse)
        assert [one.where for one in findings.found] == [where] and not findings.ok


def test_a_long_list_is_cut_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(avatar_findings, "MOST", 3)
    findings = Findings()
    for number in range(5):
        findings.warn("a", str(number))
    findings.error("b", "bad.")
    assert not findings.ok and len(findings.found) == 4 and findings.left_out == 2
    with pytest.raises(BadAvatar, match=r"b: bad\."):
        findings.refuse()


def test_no_directory(tmp_path: Path) -> None:
    assert check_pack(tmp_path / "none")[1].found[0].what == "it is no directory."
