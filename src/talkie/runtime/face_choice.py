"""Which faces there are, and which one a request gets: its own wish, else the server's, else the built-in one.

Knows nothing of how a face is made or shown. Nothing of a face is loaded here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from talkie.errors import AvatarExists, AvatarNotFound, BadAvatar, InvalidValue, TalkieError
from talkie.runtime.face import AvatarCard, FaceRequest
from talkie.runtime.leases import FACE

if TYPE_CHECKING:
    from talkie.models.avatar_pack import AvatarPack
    from talkie.models.avatar_store import StoredAvatar
    from talkie.pipeline.faces import FaceKind
    from talkie.runtime.config import ServiceConfig
    from talkie.types import Picture

BUILT_IN = "talkie"
AUTO = "auto"
SIZE = 512
"""Of the built-in face, which can be drawn at any."""
LEAST, MOST = 64, 2048
"""Pixels of a side: less shows no mouth, and more is no picture that a talking head needs."""
FPS = 25.0


@dataclass(frozen=True, slots=True)
class FaceChoice:
    """What a request gets. `key` is the network to the table of leases, empty where there is none."""

    name: str
    kind: FaceKind
    width: int
    height: int
    mood: str = ""
    pack: AvatarPack | None = None
    key: str = ""


class Avatars:
    """The built-in face and those of the store. `open_networks` tries the networks of a pack that is to be added."""

    def __init__(self, config: ServiceConfig, open_networks: Callable[[AvatarPack], None]) -> None:
        from talkie.models.avatar_store import AvatarStore

        self._config, self._open_networks = config, open_networks
        self._store = AvatarStore(config.home)

    # -- choosing --------------------------------------------------------------------------------------------------

    def choose(self, request: FaceRequest) -> FaceChoice:
        """Raises `AvatarNotFound`, `BadAvatar`, `InvalidValue`."""
        unasked = request.avatar in ("", AUTO)
        name = self._config.avatar if unasked else request.avatar
        if name in ("", AUTO, BUILT_IN):
            return _built_in(request)
        pack, stamp = self._pack(name, request.owner, by_settings=unasked)
        if request.mood:
            raise InvalidValue("mood", f"The avatar {pack.name!r} has no moods.")
        width, height = sizes(request, pack.width, pack.height)
        key = f"{FACE}{pack.directory if _is_path(name) else name}#{stamp}" if pack.kind == "neural" else ""
        return FaceChoice(pack.name if _is_path(name) else name, pack.kind, width, height, pack=pack, key=key)

    def _pack(self, name: str, owner: str | None, *, by_settings: bool) -> tuple[AvatarPack, str]:
        """A path is taken from the settings or the command line, never from a request to a server."""
        from talkie.models.avatar_pack import read_pack

        if _is_path(name):
            if not (self._config.allow_paths or by_settings):
                raise AvatarNotFound(name)
            return read_pack(Path(name).expanduser()), "path"
        stored = self._store.get(name, None if by_settings else owner)
        assert stored.pack is not None, "what is damaged was refused"
        return stored.pack, f"{stored.added_s:.3f}"

    def pack_of(self, key: str) -> AvatarPack:
        """The pack whose network a table of leases knows by this key."""
        name = key.removeprefix(FACE).rpartition("#")[0]
        return self._pack(name, None, by_settings=True)[0]

    # -- looking and keeping ---------------------------------------------------------------------------------------

    def cards(self, owner: str | None = None) -> list[AvatarCard]:
        """The built-in one first; of added ones those of `owner` (None: of everybody)."""
        return [built_in_card(), *(_card(stored) for stored in self._store.list(owner))]

    def picture(self, name: str, owner: str | None) -> Picture:
        """The avatar at rest. Raises `AvatarNotFound`, `BadAvatar`."""
        choice = self.choose(FaceRequest(name, owner=owner))
        if choice.pack is None:
            from talkie.pipeline.face_drawn import portrait

            return portrait(choice.width, choice.height)
        return _rest(choice.pack)

    def add(self, pack: IO[bytes], name: str, owner: str) -> AvatarCard:
        """Raises `BadAvatar`, `AvatarExists`, `StoreFull`."""
        if name in (BUILT_IN, AUTO):
            raise AvatarExists(name)
        return _card(self._store.add(pack, name=name, owner=owner, open_networks=self._open_networks))

    def remove(self, name: str, owner: str | None) -> None:
        """Raises `AvatarNotFound`."""
        self._store.remove(name, owner=owner)


def sizes(request: FaceRequest, width: int, height: int) -> tuple[int, int]:
    """What is asked for, the other side in proportion; else the avatar's own. Raises `InvalidValue`."""
    for name, side in (("width", request.width), ("height", request.height)):
        if side and not LEAST <= side <= MOST:
            raise InvalidValue(name, f"A face is {LEAST} to {MOST} pixels wide and high, not {side}.")
    wide = request.width or (round(width * request.height / height) if request.height else width)
    high = request.height or (round(height * request.width / width) if request.width else height)
    if (request.width or request.height) and not (LEAST <= wide <= MOST and LEAST <= high <= MOST):
        raise InvalidValue("width", f"{wide}x{high} is no size of a face: {LEAST} to {MOST} pixels a side.")
    return wide, high


def built_in_card() -> AvatarCard:
    from talkie.pipeline.face_drawn import LICENCE, MOODS, TITLE

    return AvatarCard(BUILT_IN, TITLE, "drawn", SIZE, SIZE, FPS, LICENCE, MOODS, source="built-in")


def _built_in(request: FaceRequest) -> FaceChoice:
    from talkie.pipeline.face_drawn import MOODS

    if request.mood and request.mood not in MOODS:
        raise InvalidValue("mood", f"There is no mood {request.mood[:40]!r}; there are {', '.join(MOODS)}.")
    width, height = sizes(request, SIZE, SIZE)
    return FaceChoice(BUILT_IN, "drawn", width, height, request.mood or MOODS[0])


def _is_path(name: str) -> bool:
    """No name of an avatar has a separator in it, or begins with a dot."""
    return "/" in name or "\\" in name or name.startswith(".")


def _card(stored: StoredAvatar) -> AvatarCard:
    pack = stored.pack
    if pack is None:
        return AvatarCard(stored.name, stored.name, "", 0, 0, 0.0, size_bytes=stored.size_bytes, problem=stored.problem)
    return AvatarCard(
        stored.name,
        pack.title,
        pack.kind,
        pack.width,
        pack.height,
        pack.fps,
        pack.licence,
        size_bytes=stored.size_bytes,
        problem=stored.problem,
    )


def _rest(pack: AvatarPack) -> Picture:
    """Raises `BadAvatar` for pictures that cannot be read."""
    try:
        if pack.kind == "pictures":
            from talkie.pipeline.face_pictures import PicturesFace

            face = PicturesFace(pack)
            line = face.open()
            try:
                return line.idle()
            finally:
                line.close()
                face.close()
        from talkie.video.source import open_source

        source = open_source(pack.frames, is_video=pack.is_video)
        try:
            return source.frame(0)
        finally:
            source.close()
    except TalkieError:
        raise
    except (OSError, ValueError) as error:
        raise BadAvatar(pack.rest.name, f"it cannot be read ({type(error).__name__}).") from error
