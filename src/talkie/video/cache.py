"""Pictures that are kept while there is room, those used last the longest. Knows nothing of what they show."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable

from talkie.types import Picture


class PictureCache:
    """At most `max_bytes` of pictures, and always the last one. Safe for threads."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._kept: OrderedDict[Hashable, Picture] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    @property
    def held_bytes(self) -> int:
        return self._bytes

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable) -> Picture | None:
        with self._lock:
            picture = self._kept.get(key)
            if picture is not None:
                self._kept.move_to_end(key)
            return picture

    def put(self, key: Hashable, picture: Picture) -> Picture:
        """The picture itself, which nobody changes from now on."""
        picture.flags.writeable = False
        with self._lock:
            before = self._kept.pop(key, None)
            self._kept[key] = picture
            self._bytes += picture.nbytes - (0 if before is None else before.nbytes)
            while self._bytes > self._max_bytes and len(self._kept) > 1:
                self._bytes -= self._kept.popitem(last=False)[1].nbytes
        return picture
