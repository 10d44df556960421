"""The runner of Talkie for real: its service behind the same protocol as the peers."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from speech import say
from talkie.bench.peers.child import LoadWish, PeerChild
from talkie.bench.peers.table import peer
from talkie.bench.shape_script import written_text
from talkie.errors import EngineFailed
from whisper_models import EARLY, shape_model


def test_it_loads_hears_and_serves_clients(tmp_path: Path) -> None:
    wav = tmp_path / "a.wav"
    soundfile.write(wav, np.asarray(say("Open the door, please.")), 16_000, subtype="PCM_16")
    with PeerChild("talkie", Path(sys.executable), peer("talkie").script) as child:
        loaded = child.load(LoadWish(shape_model(EARLY), beam=1, vad=False))
        assert loaded.settings["threads"] == 1
        assert "talkie" in loaded.versions
        heard = child.transcribe(wav)
        assert heard.text == written_text(EARLY)
        clips = child.clips([wav], clients=3, each=2)
        assert set(clips.texts) == {heard.text}
        assert len(clips.texts) == 6
        assert clips.audio_s == pytest.approx(6 * len(say("Open the door, please.")) / 16_000)
        assert child.peak_bytes() > 50_000_000


def test_what_it_cannot_load_is_told(tmp_path: Path) -> None:
    with (
        PeerChild("talkie", Path(sys.executable), peer("talkie").script) as child,
        pytest.raises(EngineFailed, match=r"ModelNotFound|did not become ready"),
    ):
        child.load(LoadWish(tmp_path / "no-model"))
