"""What a file is, by its first bytes; never by its name. And what is refused at sight.

Knows nothing of the libraries that decode, but for the names that FFmpeg gives its demuxers. FFmpeg reads formats that
are instructions - playlists, session descriptions, concat scripts - and follows them to files and networks. Only
demuxers on the list below are ever let near an upload (docs/decisions/0010).
"""

from __future__ import annotations

from dataclasses import dataclass

from talkie.errors import ContainerNotAllowed, UndecodableAudio

HEAD_BYTES = 4096

DEMUXERS = (
    "aac", "ac3", "aiff", "amr", "ape", "asf", "au", "avi", "caf", "dsf", "dts", "eac3", "flac", "flv", "loas",
    "matroska", "mov", "mp3", "mpc", "mpc8", "mpeg", "mpegts", "nistsphere", "ogg", "tak", "tta", "voc", "w64",
    "wav", "wv",
)  # fmt: skip
"""Self-contained recordings, each of which names nothing outside itself."""


@dataclass(frozen=True, slots=True)
class Kind:
    """`demuxer` is forced on FFmpeg; empty: it may choose among `DEMUXERS`. `plain`: libsndfile reads it as well."""

    demuxer: str = ""
    plain: bool = False


_MAGIC: tuple[tuple[int, bytes, Kind], ...] = (
    (8, b"WAVE", Kind("wav", plain=True)),  # RIFF, RIFX, RF64, BW64: see _container
    (8, b"AVI ", Kind("avi")),
    (8, b"AIFF", Kind("aiff", plain=True)),
    (8, b"AIFC", Kind("aiff", plain=True)),
    (0, b"riff\x2e\x91\xcf\x11", Kind("w64", plain=True)),
    (0, b"fLaC", Kind("flac", plain=True)),
    (0, b"OggS", Kind("ogg")),
    (0, b"\x1a\x45\xdf\xa3", Kind("matroska")),
    *((4, box, Kind("mov")) for box in (b"ftyp", b"moov", b"mdat", b"styp", b"moof", b"sidx", b"wide", b"free")),
    (0, b".snd", Kind("au")),
    (0, b"caff", Kind("caf")),
    (0, b"#!AMR", Kind("amr")),
    (0, b"MAC ", Kind("ape")),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Kind("asf")),
    (0, b"FLV\x01", Kind("flv")),
    (0, b"wvpk", Kind("wv")),
    (0, b"TTA1", Kind("tta")),
    (0, b"tBaK", Kind("tak")),
    (0, b"MPCK", Kind("mpc8")),
    (0, b"MP+", Kind("mpc")),
    (0, b"DSD ", Kind("dsf")),
    (0, b"Creative Voice File\x1a", Kind("voc")),
    (0, b"NIST_1A\n", Kind("nistsphere")),
)
_OUTER = (b"RIFF", b"RIFX", b"RF64", b"BW64", b"FORM")

_NOT_AUDIO: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a ZIP archive"),
    (b"PK\x05\x06", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a", "a RAR archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3", "a database"),
)

_INSTRUCTIONS: tuple[tuple[str, str], ...] = (
    ("#extm3u", "an M3U playlist"),
    ("[playlist]", "a PLS playlist"),
    ("[reference]", "an ASF reference"),
    ("rtsptext", "a stream reference"),
    ("ffconcat", "a concat script"),
    ("file ", "a concat script"),
    ("v=0", "a session description (SDP)"),
    ("<asx", "an ASX playlist"),
    ("<smil", "a SMIL script"),
    ("rtsp://", "an address"),
    ("http://", "an address"),
    ("https://", "an address"),
    (";ffmetadata", "an FFmpeg script"),
)
_XML_INSTRUCTIONS = ("<mpd", "<smil", "<asx", "<playlist", "<smoothstreaming")


def sniff(head: bytes) -> Kind:
    """What the first bytes (up to `HEAD_BYTES`) say. An unknown beginning is left to FFmpeg's own scoring.

    Raises `ContainerNotAllowed` for files that tell a player what else to open, `UndecodableAudio` for what is known
    not to be sound at all.
    """
    for offset, magic, kind in _MAGIC:
        if head[offset : offset + len(magic)] == magic and (offset != 8 or head[:4] in _OUTER):
            return kind
    for magic, name in _NOT_AUDIO:
        if head.startswith(magic):
            raise UndecodableAudio(f"it is {name}.")
    text = _as_text(head)
    if text is not None:
        _refuse_text(text)
    if head[:1] == b"\x47" and head[188:189] == b"\x47" and head[376:377] in (b"\x47", b""):
        return Kind("mpegts")
    return Kind()


def _as_text(head: bytes) -> str | None:
    """The head as text, without a mark or space before it, in lower case; None for bytes that are no text."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = head.decode("utf-16", "replace")
        text = "" if text.count("�") > len(text) // 20 else text
    else:
        text = head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
        cut = len(text) - 3 if len(head) >= HEAD_BYTES else len(text)  # a character may be cut at the end
        if any("\udc80" <= letter <= "\udcff" for letter in text[:cut]):
            return _instruction_text(head)
    if not text or any(ord(letter) < 32 and letter not in "\t\r\n\f\v" for letter in text):
        return _instruction_text(head)
    return text.strip().lower()


def _instruction_text(head: bytes) -> str | None:
    """Bytes that are no clean text and yet begin as a script does: a playlist with junk behind it."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower().decode("latin-1")
    return text if any(text.startswith(start) for start, _ in _INSTRUCTIONS) else None


def _refuse_text(text: str) -> None:
    for start, name in _INSTRUCTIONS:
        if text.startswith(start):
            raise ContainerNotAllowed(name)
    if text.startswith("<") and any(mark in text for mark in _XML_INSTRUCTIONS):
        raise ContainerNotAllowed("a playlist in XML")
    raise UndecodableAudio("it is a web page." if text.startswith(("<!doctype html", "<html")) else "it is text.")
