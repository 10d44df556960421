"""The lexicon: which words it finds, and what its file may say."""

# ruff: noqa: RUF001  (letters that look alike are the point)
from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.errors import SettingsError
from talkie.text.lexicon import Entry, Lexicon
from talkie.text.lexicon_file import LexiconError, find_lexicon, read_lexicon
from talkie.text.parts import Say, plain_text

TOML = """
# everywhere
nginx = { ipa = "ˈɛndʒɪnˈɛks" }
"New York" = "noo york"
York = "yawk"
[en]
SQL = "sequel"
sql = { say = "squeal" }
"C++" = "see plus plus"
[en-gb]
SQL = "ess cue ell"
[zh]
"重庆" = "崇庆"
[hi]
"हि" = "x"
"""


@pytest.fixture
def lexicon(tmp_path: Path) -> Lexicon:
    (tmp_path / "lexicon.toml").write_text(TOML, encoding="utf-8")
    found = find_lexicon(tmp_path)
    assert found is not None
    return read_lexicon(found)


def said(lexicon: Lexicon, text: str, language: str = "en") -> str:
    return "".join(say.phonemes or say.said for say in lexicon.apply(Say(text, 0), language))


@pytest.mark.parametrize(
    ("language", "text", "spoken"),
    [
        ("en", "Nginx and NGINX's SQL.", "ˈɛndʒɪnˈɛks and ˈɛndʒɪnˈɛks's sequel."),
        ("en", "Sql", "squeal"),
        ("en-gb", "SQL, York", "ess cue ell, yawk"),
        ("de", "SQL", "SQL"),
        ("", "New\nYork york newyork", "noo york york newyork"),
        ("en", "MySQL SQLite", "MySQL SQLite"),
        ("en", "C++ and C", "see plus plus and C"),
        ("zh", "去重庆玩", "去崇庆玩"),
        ("hi", "हिन्दी", "हिन्दी"),
    ],
)
def test_whole_words_the_longest_first(lexicon: Lexicon, language: str, text: str, spoken: str) -> None:
    assert said(lexicon, text, language) == spoken


def test_offsets_stay_those_of_the_text(lexicon: Lexicon) -> None:
    parts = lexicon.apply(Say("in New York, SQL", 100, lang="en"), "de")
    assert [(part.text, part.start) for part in parts] == [("in ", 100), ("New York", 103), (", ", 111), ("SQL", 113)]
    assert [part.said for part in parts] == ["in ", "noo york", ", ", "sequel"]
    assert all(part.lang == "en" for part in parts)


def test_what_has_its_own_way_stays(lexicon: Lexicon) -> None:
    say = Say("SQL", 0, spoken="database")
    assert lexicon.apply(say, "en") == (say,)


@given(st.text(max_size=80))
def test_the_plain_text_is_kept(text: str) -> None:
    lexicon = Lexicon({"all": [Entry("a", "x"), Entry("b c", "y"), Entry("·", "z")]})
    parts = lexicon.apply(Say(text, 5))
    assert plain_text(parts) == text
    assert all(text[part.start - 5 :].startswith(part.text) for part in parts)


def test_tab_separated(tmp_path: Path) -> None:
    path = tmp_path / "lexicon.tsv"
    path.write_text("# mine\nSQL\tsequel\ten\nnginx\t/ˈɛn/\n\n", encoding="utf-8")
    lexicon = read_lexicon(path)
    assert len(lexicon) == 2
    assert said(lexicon, "SQL nginx") == "sequel ˈɛn"
    assert said(lexicon, "SQL nginx", "de") == "SQL ˈɛn"


def test_the_fingerprint_is_that_of_the_content(tmp_path: Path) -> None:
    path = tmp_path / "lexicon.tsv"
    path.write_text("a\tb\n", encoding="utf-8")
    first = read_lexicon(path).fingerprint
    assert read_lexicon(path).fingerprint == first
    path.write_text("a\tc\n", encoding="utf-8")
    assert read_lexicon(path).fingerprint != first


@pytest.mark.parametrize(
    ("name", "content", "line", "why"),
    [
        ("lexicon.toml", 'a = "b"\nc = \n', 2, "Invalid value"),
        ("lexicon.toml", 'a = "b"\nc = 5\n', 2, "'c' wants a text"),
        ("lexicon.toml", '[en]\na = "b"\nc = { ipa = "!" }\n', 3, "not IPA"),
        ("lexicon.toml", '[en]\na = { ipa = "a", say = "b" }\n', 2, "wants a text"),
        ("lexicon.toml", '\n[klingon]\na = "b"\n', 3, "no language"),
        ("lexicon.toml", '"" = "b"\n', 1, "80 characters"),
        ("lexicon.toml", f'a = "{"b" * 301}"\n', 1, "300 characters"),
        ("lexicon.toml", "a = [[[[", 1, "Invalid value"),
        ("lexicon.tsv", "a\tb\nc d e\n", 2, "a tab"),
        ("lexicon.tsv", "a\t/!!/\n", 1, "not IPA"),
        ("lexicon.tsv", "a\t\n", 1, "300 characters"),
        ("lexicon.tsv", "".join(f"a{n}\tb\n" for n in range(20_001)), 20_001, "20000"),
        ("lexicon.tsv", "a\tb\n" * 600_000, 1, "2 MB"),
    ],
)
def test_errors_name_file_and_line(tmp_path: Path, name: str, content: str, line: int, why: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(LexiconError, match=why) as caught:
        read_lexicon(tmp_path / name)
    assert f"{name}, line {line}:" in caught.value.message


def test_other_bytes_and_no_file(tmp_path: Path) -> None:
    assert find_lexicon(tmp_path) is None
    (tmp_path / "lexicon.tsv").write_bytes(b"a\tb\n\xff\t\n")
    with pytest.raises(LexiconError, match="line 2: that is not UTF-8"):
        read_lexicon(tmp_path / "lexicon.tsv")
    with pytest.raises(SettingsError, match="cannot be read"):
        read_lexicon(tmp_path / "none.tsv")
