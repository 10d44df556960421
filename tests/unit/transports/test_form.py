"""Multipart forms, in any pieces and of any quality."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.errors import BadRequestBody, InvalidValue, RequestError
from talkie.transports.http.form import MAX_FIELD_BYTES, MAX_PARTS, Form

TYPE = "multipart/form-data; boundary=XX"


def part(name: str, body: bytes, more: str = "") -> bytes:
    return f'--XX\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + body + b"\r\n"


END = b"--XX--\r\n"


def parse(data: bytes, step: int = 1 << 20, content_type: str = TYPE) -> tuple[list[tuple[str, str]], bytes]:
    file = bytearray()
    form = Form(content_type, file.extend)
    for start in range(0, len(data), step):
        form.feed(data[start : start + step])
    return form.finish(), bytes(file)


@pytest.mark.parametrize("step", [1, 2, 7, 1000])
def test_fields_in_any_order_in_pieces_of_any_size(step: int) -> None:
    sound = b"\r\n--X\r\n\x00\xff--XX" * 3
    data = part("model", b"m") + part("file", sound, '; filename="blob"') + part("language", "dé".encode()) + END
    assert parse(data, step) == ([("model", "m"), ("language", "dé")], sound)


@pytest.mark.parametrize("more", ["", '; filename=""', '; filename="../../etc/passwd"', "; filename*=UTF-8''x"])
def test_a_file_by_any_name_or_none(more: str) -> None:
    assert parse(part("file", b"abc", more) + END) == ([], b"abc")


def test_an_epilogue_means_nothing() -> None:
    assert parse(part("file", b"abc") + END + b"more and more") == ([], b"abc")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        part("file", b"abc"),
        part("file", b"abc") + END[:-4],
        part("file", b"a") + part("file", b"b") + END,
        b"--XX\r\nno header\r\n\r\nx\r\n" + END,
        b"--XX\r\n" + b"A: b\r\n" * 1000 + b"\r\nx\r\n" + END,
        b"--XX\r\nA: " + b"b" * 100_000 + b"\r\n\r\nx\r\n" + END,
        part("x", b"") * (MAX_PARTS + 1) + part("file", b"") + END,
        part("n" * 300, b"") + part("file", b"") + END,
    ],
)
def test_what_is_no_form_is_refused(data: bytes) -> None:
    with pytest.raises(BadRequestBody):
        parse(data)


@pytest.mark.parametrize(
    ("data", "param"),
    [
        (part("model", b"m") + END, "file"),
        (part("prompt", b"x" * (MAX_FIELD_BYTES + 1)) + part("file", b"") + END, "prompt"),
        (part("prompt", b"\xff\xfe") + part("file", b"") + END, "prompt"),
    ],
)
def test_what_is_wrong_in_a_form_is_named(data: bytes, param: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        parse(data)
    assert caught.value.param == param


def test_all_fields_together_are_bounded() -> None:
    with pytest.raises(InvalidValue):
        parse(part("junk", b"x" * 60_000) * 20 + part("file", b"") + END)


@pytest.mark.parametrize(
    "content_type",
    ["", "application/json", "multipart/form-data", "multipart/mixed; boundary=XX", f"{TYPE[:30]}{'b' * 300}"],
)
def test_other_types_are_refused(content_type: str) -> None:
    with pytest.raises(BadRequestBody):
        parse(part("file", b"") + END, content_type=content_type)


@given(st.binary(max_size=300), st.integers(1, 50))
def test_noise_is_refused_by_name(noise: bytes, step: int) -> None:
    for data in (noise, part("file", noise), part("file", b"") + noise):
        with pytest.raises(RequestError):
            parse(data, step)
            raise BadRequestBody("it was a form after all")
