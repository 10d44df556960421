"""The fields of a transcription call, as real clients send them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkie.audio.decode import RawFormat
from talkie.errors import BadRawParameters, RequestError
from talkie.wire.fields import MODEL_ALIASES, RESPONSE_FORMATS, parse_call

TEXT = st.text(max_size=40)
KNOWN = st.sampled_from(
    ["model", "language", "temperature", "timestamp_granularities[]", "include[]", "stream", "vad", "sample_rate",
     "channels", "encoding", "preset", "response_format", "prompt"]
)  # fmt: skip


def test_nothing_at_all_is_fine() -> None:
    call = parse_call([], "transcribe")
    assert call.response_format == "json" and not call.stream and call.notices == ()
    assert call.request.model == "auto" and call.request.language is None and call.request.vad


@pytest.mark.parametrize("name", sorted(MODEL_ALIASES))
def test_aliases_mean_the_servers_own_model(name: str) -> None:
    assert parse_call([("model", name)], "transcribe").request.model == "auto"


@pytest.mark.parametrize(
    ("value", "code"),
    [("", None), ("auto", None), ("en", "en"), ("en-US", "en"), ("english", "en"), ("English", "en"), ("de_DE", "de")],
)
def test_languages_as_people_write_them(value: str, code: str | None) -> None:
    assert parse_call([("language", value)], "transcribe").request.language == code


@pytest.mark.parametrize("name", ["timestamp_granularities[]", "timestamp_granularities"])
@pytest.mark.parametrize(
    ("values", "words"), [(["word"], True), (["segment", "word"], True), (["segment"], False), (["word,segment"], True)]
)
def test_granularities_with_and_without_brackets(name: str, values: list[str], words: bool) -> None:
    pairs = [("response_format", "verbose_json"), *((name, value) for value in values)]
    assert parse_call(pairs, "transcribe").request.words is words


def test_words_are_looked_for_only_where_they_are_shown() -> None:
    assert not parse_call([("timestamp_granularities[]", "word")], "transcribe").request.words


@pytest.mark.parametrize(("value", "number"), [("", None), ("0", 0.0), (" 0.2 ", 0.2), ("1", 1.0)])
def test_temperature_is_text(value: str, number: float | None) -> None:
    assert parse_call([("temperature", value)], "transcribe").request.temperature == number


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", "warm"),
        ("temperature", "nan"),
        ("temperature", "1.1"),
        ("temperature", "-0.1"),
        ("response_format", "diarized_json"),
        ("response_format", "xml"),
        ("timestamp_granularities[]", "letter"),
        ("stream", "perhaps"),
        ("vad", "2"),
        ("preset", "careful"),
        ("sample_rate", "1.5"),
        ("sample_rate", "inf"),
        ("language", "klingon"),
    ],
)
def test_wrong_values_are_named(name: str, value: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_call([(name, value)], "transcribe")
    assert caught.value.param == name.removesuffix("[]") and caught.value.code == "invalid_value"


def test_raw_pcm_is_what_names_a_rate() -> None:
    assert parse_call([("channels", "2")], "transcribe").request.raw is None
    pairs = [("sample_rate", "8000"), ("encoding", "mulaw")]
    assert parse_call(pairs, "transcribe").request.raw == RawFormat(8000, 1, "mulaw")


def test_the_last_of_two_counts_and_unknown_fields_do_not() -> None:
    pairs = [("language", "de"), ("chunking_strategy", "auto"), ("language", "fr"), ("x" * 300, "y")]
    assert parse_call(pairs, "translate").request.language == "fr"


def test_a_stream_has_no_subtitles() -> None:
    with pytest.raises(RequestError, match="stream"):
        parse_call([("stream", "true"), ("response_format", "srt")], "transcribe")


def test_what_is_not_given_is_said() -> None:
    (notice,) = parse_call([("include[]", "logprobs")], "transcribe").notices
    assert notice.code == "include_ignored"


@given(st.lists(st.tuples(KNOWN | TEXT, TEXT | st.sampled_from(["1", "true", "word", "en"])), max_size=8))
def test_any_fields_are_understood_or_refused_by_name(pairs: list[tuple[str, str]]) -> None:
    try:
        call = parse_call(pairs, "transcribe")
    except (RequestError, BadRawParameters) as error:
        assert error.param
    else:
        assert call.response_format in RESPONSE_FORMATS
