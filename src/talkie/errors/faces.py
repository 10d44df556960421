"""Avatars, and what makes a moving picture of them."""

from __future__ import annotations

from talkie.errors.base import TalkieError


class AvatarError(TalkieError):
    """An avatar, or a pack that was to become one."""

    code = "avatar_error"


class AvatarNotFound(AvatarError):
    code = "avatar_not_found"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"There is no avatar {name[:80]!r}.",
            hint="`talkie avatar list` shows those there are; `talkie avatar add PACK.zip` adds one.",
            param="avatar",
        )


class AvatarExists(AvatarError):
    code = "avatar_exists"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"An avatar {name!r} is there already.",
            hint=f"Give another name, or remove it first: `talkie avatar remove {name}`.",
            param="name",
        )


class BadAvatar(AvatarError):
    """`where` is the file of the pack, or the line of its table, that is at fault."""

    code = "bad_avatar"

    def __init__(self, where: str, detail: str, *, hint: str = "") -> None:
        super().__init__(
            f"The avatar pack cannot be used: {where}: {detail}",
            hint=hint or "docs/avatars.md says what a pack is; `talkie avatar check PACK` tells all that is wrong.",
            param=where,
        )
        self.where, self.detail = where, detail


class VideoFailed(AvatarError):
    """The moving picture cannot be written in this form on this machine."""

    code = "video_failed"

    def __init__(self, detail: str, *, hint: str = "") -> None:
        super().__init__(f"The video cannot be made: {detail}", hint=hint)
