"""An avatar pack: a directory with a table, `avatar.toml`, and the pictures and networks it names (docs/avatars.md).

Reading looks at names and at one picture's header; whether every file is sound is told by `avatar_check`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeAlias

from talkie.models.avatar_boxes import Box, check_boxes, read_boxes
from talkie.models.avatar_files import (
    NEURAL_FPS,
    PICTURES,
    first_there,
    frames_in,
    header,
    mouths,
    size,
    there,
)
from talkie.models.avatar_findings import Findings
from talkie.models.avatar_table import Table, name_fault

Kind: TypeAlias = Literal["neural", "pictures"]
ColourOrder: TypeAlias = Literal["bgr", "rgb"]
Closed: TypeAlias = "Literal['network', 'source'] | Path"

_FACE, _ENCODER, _FRAMES, _BOXES = "face.onnx", "audio_encoder.onnx", "frames", "boxes.txt"
_ONLY: dict[Kind, tuple[str, ...]] = {
    "neural": ("colour_order", "frames", "box", "boxes", "face", "encoder", "closed", "feather"),
    "pictures": ("pictures", "base", "blink"),
}
"""The keys that mean something to packs of one kind only."""


@dataclass(frozen=True, slots=True)
class AvatarPack:
    """`width` and `height` are those of the frames, and of the video that is made.

    Neural: `frames` are the images in order, or one video, `is_video`; `boxes` one for all frames or one each;
    `colour_order` is that of the networks' channels; `feather` the width of the soft rim in parts of the box's side,
    0 for none. `closed` is the mouth in silence: what the network makes of silence, the source frame, or a picture.

    Pictures: `pictures` has the mouth of each letter that is there, at least A; all are of one size and, where they
    are transparent, lie over `base`. `blink` is a picture with the eyes shut, lain over in the same way.
    """

    directory: Path
    name: str
    title: str
    kind: Kind
    width: int
    height: int
    fps: float = NEURAL_FPS
    licence: str = ""
    consent: str = ""
    colour_order: ColourOrder = "bgr"
    frames: tuple[Path, ...] = ()
    is_video: bool = False
    boxes: tuple[Box, ...] = ()
    face: Path | None = None
    encoder: Path | None = None
    closed: Closed = "network"
    feather: float = 0.0
    pictures: dict[str, Path] = field(default_factory=dict)
    base: Path | None = None
    blink: Path | None = None

    @property
    def rest(self) -> Path:
        """The picture, or the video, that shows the avatar at rest."""
        if self.kind == "neural":
            return self.frames[0]
        return self.base or self.pictures.get("X") or self.pictures["A"]


def read_pack(directory: Path, name: str = "") -> AvatarPack:
    """`name` in place of the one in the table. Raises `BadAvatar` with the first fault of the table, or of what it
    names."""
    findings = Findings()
    pack = look_at(directory, findings, name)
    findings.refuse()
    assert pack is not None, "what is not there was found missing"
    return pack


def look_at(directory: Path, findings: Findings, name: str = "") -> AvatarPack | None:
    """The pack as far as it can be made out; None where there is nothing to show. Adds to `findings`."""
    table = Table(directory, findings)
    if not table.readable:
        return None
    named = table.text("name", "" if directory.name.startswith(".") else directory.name)
    name = name or named
    if fault := name_fault(name) if name else "the pack says none.":
        findings.error("name", fault, 'name = "anna" in avatar.toml, or `talkie avatar add --name anna`.')
    kind: Kind = table.choice("kind", ("neural", "pictures"), _kind_of(directory, table))
    _refuse_foreign(table, kind, findings)
    bare = AvatarPack(
        directory,
        name,
        table.text("title", name),
        kind,
        width=0,
        height=0,
        licence=table.text("licence"),
        consent=table.text("consent"),
    )
    return (_neural if kind == "neural" else _pictures)(bare, table, findings)


def _kind_of(directory: Path, table: Table) -> Kind:
    """What is not said is guessed from the keys that are there, or else from a picture of a shut mouth."""
    has = {kind for kind, keys in _ONLY.items() if any(key in table.values for key in keys)}
    if not has:
        return "pictures" if first_there(directory, "A") else "neural"
    return "neural" if "neural" in has else "pictures"


def _refuse_foreign(table: Table, kind: Kind, findings: Findings) -> None:
    other: Kind = "pictures" if kind == "neural" else "neural"
    for key in _ONLY[other]:
        if key in table.values:
            findings.error(key, f"it belongs to a pack of kind {other}, and this one is {kind}.")


def _neural(bare: AvatarPack, table: Table, findings: Findings) -> AvatarPack | None:
    if table.number("fps", NEURAL_FPS, 1, 60) != NEURAL_FPS:
        findings.error("fps", f"networks of this kind make {NEURAL_FPS:g} pictures a second.")
    source = table.path("frames", _FRAMES)
    frames, is_video = frames_in(source, findings) if source is not None else ((), False)
    first = header(frames[0], is_video, findings) if frames else None
    width, height = size(table, first, findings)
    boxes_file = table.path("boxes", _BOXES)
    if "box" in table.values and "boxes" in table.values:
        findings.error("boxes", "box is there as well: which one?")
    boxes = read_boxes(table.values.get("box"), boxes_file, findings)
    if first is not None:
        check_boxes(boxes, len(frames) if not is_video else first.frames, width, height, findings)
    closed = _closed(table, findings)
    pack = replace(
        bare,
        width=width,
        height=height,
        colour_order=table.choice("colour_order", ("bgr", "rgb"), "bgr"),
        frames=frames,
        is_video=is_video,
        boxes=boxes,
        face=there(table.path("face", _FACE), "face", (".onnx",), findings),
        encoder=there(table.path("encoder", _ENCODER), "encoder", (".onnx",), findings),
        closed=closed,
        feather=table.number("feather", 0.04, 0, 0.25),
    )
    return pack if frames else None


def _closed(table: Table, findings: Findings) -> Closed:
    wish = table.values.get("closed", "network")
    if wish == "source":
        return "source"
    if wish == "network":
        return "network"
    return there(table.path("closed"), "closed", PICTURES, findings) or "network"


def _pictures(bare: AvatarPack, table: Table, findings: Findings) -> AvatarPack | None:
    pictures = mouths(bare.directory, table, findings)
    if not pictures:
        findings.error("pictures", "there is no picture of a mouth.", 'pictures = { A = "A.png", … } in avatar.toml.')
        return None
    base = there(table.path("base"), "base", PICTURES, findings)
    blink = there(table.path("blink"), "blink", PICTURES, findings)
    first = header(next(iter(pictures.values())), False, findings)
    width, height = size(table, first, findings)
    fps = table.number("fps", NEURAL_FPS, 1, 60)
    return replace(bare, width=width, height=height, fps=fps, pictures=pictures, base=base, blink=blink)
