"""A multipart form, pushed in piece by piece: the fields are kept, the part with the recording goes straight to a sink.

Pure parsing; knows nothing of sockets, disks or what the fields mean. The name that a client gives its file is
neither kept nor looked at. Everything has a bound: parts, header sizes, the size of each field and of all of them.
"""

from __future__ import annotations

from collections.abc import Callable

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from talkie.errors import BadRequestBody, InvalidValue

FILE_FIELD = "file"
MAX_PARTS = 128
MAX_NAME_BYTES = 256
MAX_FIELD_BYTES = 64 * 1024
MAX_FIELDS_BYTES = 1024 * 1024
MAX_BOUNDARY_BYTES = 256


class Form:
    """Feed it bytes; `finish` gives the fields in the order in which they came. The recording is in the part of one of
    the names `files`, the first of which is the one that is told; `needed`: one of them must be there."""

    def __init__(
        self,
        content_type: str,
        sink: Callable[[bytes], None],
        files: tuple[str, ...] = (FILE_FIELD,),
        *,
        needed: bool = True,
    ) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if kind != b"multipart/form-data" or not 0 < len(boundary) <= MAX_BOUNDARY_BYTES:
            raise BadRequestBody("it is not a form with a boundary.")
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_begin": self._header_begin,
                "on_header_field": self._header_name,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_finished,
                "on_part_data": self._data,
                "on_part_end": self._end,
                "on_end": self._complete,
            },
        )
        self._sink = sink
        self._file_names, self._needed = files, needed
        self._fields: list[tuple[str, str]] = []
        self._parts = self._fields_bytes = self._files = 0
        self._finished = False
        self._header, self._value, self._disposition = bytearray(), bytearray(), b""
        self._name, self._content, self._is_file = "", bytearray(), False

    @property
    def has_file(self) -> bool:
        return self._files > 0

    def feed(self, data: bytes) -> None:
        """Raises `BadRequestBody` or `InvalidValue`, and whatever the sink raises."""
        if self._finished:
            return  # an epilogue means nothing
        try:
            self._parser.write(data)
        except FormParserError:
            raise BadRequestBody("it is not a well-formed form.") from None

    def finish(self) -> list[tuple[str, str]]:
        """The fields. Raises `BadRequestBody` for a form cut short, `InvalidValue` for one without a file."""
        if not self._finished:
            raise BadRequestBody("the form ends too early.")
        if self._needed and not self._files:
            name = self._file_names[0]
            raise InvalidValue(name, "There is no file in the form.", hint=f"Name the part with the audio: {name}")
        return self._fields

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise BadRequestBody(f"it has more than {MAX_PARTS} parts.")
        self._disposition = b""

    def _header_begin(self) -> None:
        self._header.clear()
        self._value.clear()

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = bytes(self._value)

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        name = options.get(b"name", b"")
        if len(name) > MAX_NAME_BYTES:
            raise BadRequestBody("the name of a field is too long.")
        self._name = name.decode("utf-8", "replace")
        self._is_file = self._name.removesuffix("[]") in self._file_names
        self._content.clear()
        if self._is_file:
            self._files += 1
            if self._files > 1:
                raise BadRequestBody("it has more than one file.", hint="Send one recording with each request.")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self._sink(data[start:end])
            return
        self._fields_bytes += end - start
        if len(self._content) + end - start > MAX_FIELD_BYTES or self._fields_bytes > MAX_FIELDS_BYTES:
            raise InvalidValue(self._name[:64], "A field of the form is too long.")
        self._content += data[start:end]

    def _end(self) -> None:
        if self._is_file:
            return
        try:
            self._fields.append((self._name, self._content.decode("utf-8")))
        except UnicodeDecodeError:
            raise InvalidValue(self._name[:64], "A field of the form is not UTF-8 text.") from None

    def _complete(self) -> None:
        self._finished = True
