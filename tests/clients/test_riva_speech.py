"""`nvidia-riva-client`, unchanged, asks a running server to speak: whole, in a stream, by the voices that it lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import numpy as np
import pytest

from grpc_server import BEARER, KEY, on_grpc
from ports import free_port
from server_process import running_server

riva = pytest.importorskip("riva.client", reason="the extra talkie[riva] is not installed")
rtts = pytest.importorskip("riva.client.proto.riva_tts_pb2")

pytestmark = on_grpc

TEXT = "Good morning. It is seven o'clock, and the sun is up."
STOCK_HZ = 44_100


@pytest.fixture(scope="module")
def tts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    port = free_port()
    flags = ("--workers", "1", "--threads", "1", "--grpc-port", str(port))
    with running_server(tmp_path_factory.mktemp("home"), *flags, env={"TALKIE_API_KEY": KEY}) as server:
        server.wait_ready()
        auth = riva.Auth(uri=f"localhost:{port}", metadata_args=[["authorization", BEARER]])
        grpc.channel_ready_future(auth.channel).result(timeout=60)
        yield riva.SpeechSynthesisService(auth)
        auth.channel.close()


def samples(audio: bytes) -> np.ndarray:
    return np.frombuffer(audio, "<i2")


def seconds(audio: bytes, rate: int = STOCK_HZ) -> float:
    return len(audio) / 2 / rate


def test_a_text_at_the_rate_of_the_stock_script(tts: Any) -> None:
    answer = tts.synthesize(TEXT, None, "en-US", sample_rate_hz=STOCK_HZ, enable_word_time_offsets=True)
    assert 2 < seconds(answer.audio) < 8 and np.abs(samples(answer.audio)).max() > 3000
    words = answer.meta.words
    assert " ".join(word.word for word in words) == TEXT
    starts = [word.start_time for word in words]
    assert starts == sorted(starts) and all(word.start_time <= word.end_time for word in words)
    assert 1000 < words[-1].end_time <= seconds(answer.audio) * 1000 + 50  # milliseconds


@pytest.mark.parametrize("rate", [8000, 16_000, 22_050, 48_000])
def test_the_same_length_at_every_rate(tts: Any, rate: int) -> None:
    stock = tts.synthesize(TEXT, sample_rate_hz=STOCK_HZ)
    assert seconds(tts.synthesize(TEXT, sample_rate_hz=rate).audio, rate) == pytest.approx(
        seconds(stock.audio), abs=0.01
    )


def test_a_stream_is_as_long_as_the_whole(tts: Any) -> None:
    whole = tts.synthesize(TEXT, sample_rate_hz=STOCK_HZ).audio
    pieces = [answer.audio for answer in tts.synthesize_online(TEXT, sample_rate_hz=STOCK_HZ)]
    assert len(pieces) > 1 and seconds(b"".join(pieces)) == pytest.approx(seconds(whole), abs=0.01)


def test_a_list_of_texts_is_spoken_in_order(tts: Any) -> None:
    answers = list(tts.synthesize_online(["Good morning.", "The sun is up."], enable_word_time_offsets=True))
    words = [word for answer in answers for word in answer.meta.words]
    assert [word.word for word in words] == ["Good", "morning.", "The", "sun", "is", "up."]
    starts = [word.start_time for word in words]
    assert starts == sorted(starts)
    assert seconds(b"".join(a.audio for a in answers), 22_050) * 1000 >= words[-1].end_time - 50


def test_every_language_that_is_listed_has_a_voice_that_speaks(tts: Any) -> None:
    """Put together as the client's own script lists them."""
    listed: dict[str, list[str]] = {}
    asked = tts.stub.GetRivaSynthesisConfig(rtts.RivaSynthesisConfigRequest(), metadata=tts.auth.get_auth_metadata())
    for config in asked.model_config:
        names = [voice.split(":")[0] for voice in config.parameters["subvoices"].split(",")]
        voices = listed.setdefault(config.parameters["language_code"], [])
        voices += [config.parameters["voice_name"] + "." + name for name in names]
    assert {"en-US", "en-GB", "de"} <= set(listed)
    sounds = {code: tts.synthesize("Good morning.", listed[code][0]).audio for code in ("en-US", "de", "en-GB")}
    assert all(0.3 < seconds(sound, 22_050) < 3 for sound in sounds.values())
    assert sounds["en-US"] != sounds["de"]


def test_opus(tts: Any) -> None:
    sound = tts.synthesize(TEXT, encoding=riva.AudioEncoding.OGGOPUS).audio
    assert sound.startswith(b"OggS") and b"OpusHead" in sound[:64]


def test_errors(tts: Any) -> None:
    def refused(**fields: Any) -> tuple[grpc.StatusCode, str]:
        with pytest.raises(grpc.RpcError) as caught:
            tts.synthesize(**{"text": TEXT, **fields})
        return caught.value.code(), dict(caught.value.trailing_metadata())["talkie-code"]

    assert refused(voice_name="English-US.Female-1") == (grpc.StatusCode.NOT_FOUND, "voice_not_found")
    assert refused(text=" ") == (grpc.StatusCode.INVALID_ARGUMENT, "nothing_to_say")
    assert refused(sample_rate_hz=7) == (grpc.StatusCode.INVALID_ARGUMENT, "bad_raw_parameters")


def test_what_has_no_effect_is_said(tts: Any) -> None:
    call = tts.synthesize("Yes.", future=True, custom_dictionary={"yes": "j E s"})
    assert call.result().audio and dict(call.trailing_metadata())["talkie-warning"] == "custom_dictionary_ignored"


def test_who_leaves_does_not_hold_up_others(tts: Any) -> None:
    answers = tts.synthesize_online("This is one of very many sentences. " * 1000)
    assert next(answers).audio
    answers.cancel()
    assert tts.synthesize("Yes.").audio
