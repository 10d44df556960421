"""`nvidia-riva-client`, unchanged, against a running server over TLS: streams, recordings, the list of models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from grpc_server import BEARER, MODEL, TEXTS, GrpcServer, grpc_server, on_grpc, pcm, recordings, trained, wav, write_wav

riva = pytest.importorskip("riva.client", reason="the extra talkie[riva] is not installed")
rasr = pytest.importorskip("riva.client.proto.riva_asr_pb2")

pytestmark = [on_grpc, trained]

CHUNK_FRAMES = 1600


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GrpcServer]:
    with grpc_server(tmp_path_factory.mktemp("home"), "--tls", "self-signed") as server:
        yield server


@pytest.fixture(scope="module")
def auth(running: GrpcServer) -> Iterator[Any]:
    made = riva.Auth(
        ssl_root_cert=str(running.certificate),
        uri=f"localhost:{running.port}",
        metadata_args=[["authorization", BEARER]],
    )
    grpc.channel_ready_future(made.channel).result(timeout=60)
    yield made
    made.channel.close()


@pytest.fixture
def asr(auth: Any) -> Any:
    return riva.ASRService(auth)


def streaming(interim: bool = True, **fields: Any) -> Any:
    return riva.StreamingRecognitionConfig(
        config=riva.RecognitionConfig(language_code="en-US", max_alternatives=1, **fields), interim_results=interim
    )


def finals(responses: Any) -> list[Any]:
    return [result for response in responses for result in response.results if result.is_final]


def test_a_wav_is_streamed_header_and_all(asr: Any, tmp_path: Path) -> None:
    """As the stock script does it: no encoding, no rate, the chunks of a file."""
    path = write_wav(tmp_path / "speech.wav", pcm(TEXTS[3]))
    config = streaming(enable_word_time_offsets=True, enable_automatic_punctuation=True, verbatim_transcripts=True)
    with riva.AudioChunkFileIterator(path, CHUNK_FRAMES) as chunks:
        (final,) = finals(asr.streaming_response_generator(chunks, config))
    (heard,) = final.alternatives
    assert heard.transcript == TEXTS[3] + " "
    assert [word.word for word in heard.words] == TEXTS[3].split()
    assert all(0 <= word.start_time <= word.end_time <= 3000 for word in heard.words)
    assert heard.words[-1].end_time > 1000  # milliseconds
    assert 0 < heard.confidence <= 1


def test_a_microphone_sends_pcm_and_says_its_rate(asr: Any) -> None:
    sound = pcm(TEXTS[0]) + pcm(TEXTS[1])
    chunks = [sound[at : at + 3200] for at in range(0, len(sound), 3200)]
    config = streaming(encoding=riva.AudioEncoding.LINEAR_PCM, sample_rate_hertz=16_000, audio_channel_count=1)
    responses = list(asr.streaming_response_generator(chunks, config))
    assert (
        "".join(final.alternatives[0].transcript for final in finals(responses)).split() == " ".join(TEXTS[:2]).split()
    )
    interim = [result for response in responses for result in response.results if not result.is_final]
    assert all(0 < result.stability < 1 and not result.is_final for result in interim)


def test_no_interim_results_when_none_are_wanted(asr: Any) -> None:
    responses = asr.streaming_response_generator([wav(pcm(TEXTS[0]))], streaming(interim=False))
    assert [result.is_final for response in responses for result in response.results] == [True]


def test_the_first_and_the_last_word_of_twenty_recordings(asr: Any) -> None:
    said = recordings()
    assert len(said) == 20
    heard = [
        "".join(f.alternatives[0].transcript for f in finals(asr.streaming_response_generator([wav(s)], streaming())))
        for _, s in said
    ]
    ends = [(text.split()[0], text.split()[-1]) for text in heard if text]
    assert ends == [(text.split()[0], text.split()[-1]) for text, _ in said]


@pytest.mark.parametrize("header", [True, False])
def test_a_recording(asr: Any, header: bool) -> None:
    sound = pcm(TEXTS[2])
    config = riva.RecognitionConfig(language_code="en-US", max_alternatives=3, enable_word_time_offsets=True)
    if not header:
        config.encoding, config.sample_rate_hertz = riva.AudioEncoding.LINEAR_PCM, 16_000
    riva.add_word_boosting_to_config(config, ["stop", "light"], 20.0)
    response = asr.offline_recognize(wav(sound) if header else sound, config)
    text = "".join(result.alternatives[0].transcript for result in response.results)
    assert text.split() == TEXTS[2].split()
    assert [word.word for result in response.results for word in result.alternatives[0].words] == TEXTS[2].split()


def test_what_cannot_be_done_does_not_cost_the_transcript(asr: Any) -> None:
    config = riva.RecognitionConfig(language_code="en-US", profanity_filter=True)
    riva.add_speaker_diarization_to_config(config, True, 2)
    call = asr.offline_recognize(wav(pcm(TEXTS[0])), config, future=True)
    assert call.result().results[0].alternatives[0].transcript.split() == TEXTS[0].split()
    assert dict(call.trailing_metadata())["talkie-warning"] == "profanity_filter_ignored, diarization_ignored"


def test_models_as_the_script_lists_them(asr: Any) -> None:
    response = asr.stub.GetRivaSpeechRecognitionConfig(
        rasr.RivaSpeechRecognitionConfigRequest(), metadata=asr.auth.get_auth_metadata()
    )
    online = {
        config.model_name: config.parameters["language_code"]
        for config in response.model_config
        if config.parameters["type"] == "online"
    }
    assert online["sphinx-en"] == "en"
    assert MODEL in online


def test_errors(running: GrpcServer, asr: Any) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        list(asr.streaming_response_generator([b""], streaming(encoding=riva.AudioEncoding.FLAC)))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    with pytest.raises(grpc.RpcError) as caught:
        asr.offline_recognize(wav(pcm(TEXTS[0])), riva.RecognitionConfig(language_code="xx-YY"))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert dict(caught.value.trailing_metadata())["talkie-param"] == "language"
    stranger = riva.ASRService(riva.Auth(ssl_root_cert=str(running.certificate), uri=f"localhost:{running.port}"))
    with pytest.raises(grpc.RpcError) as caught:
        stranger.offline_recognize(wav(pcm(TEXTS[0])), riva.RecognitionConfig())
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    stranger.auth.channel.close()
