"""The speech that `talkie tune` measures by: the user's recordings, or sentences of the built-in voices.

Knows nothing of models but their languages.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from talkie.cli.output import note

if TYPE_CHECKING:
    from talkie.bench.recordings import Recording
    from talkie.runtime.tuning_speech import Said


def speech_for(languages: Sequence[str], manifest: Path | None, kinds: Sequence[str] | None) -> list[Said]:
    """What there is in the languages of a model. Raises `InvalidValue` where that is nothing, `AudioError`."""
    from talkie.errors import InvalidValue

    said = list(_human(languages, manifest, kinds) if manifest else _spoken(languages))
    if not said:
        raise InvalidValue(
            "speech", "There is no speech to measure by in a language of this model.", hint="See --speech and --kind."
        )
    return said


def _human(languages: Sequence[str], manifest: Path, kinds: Sequence[str] | None) -> Iterator[Said]:
    from talkie.cli.bench_shared import human_recordings

    yield from _loaded(one for one in human_recordings(manifest, kinds) if one.language in languages)


def _spoken(languages: Sequence[str]) -> Iterator[Said]:
    from talkie.bench.recordings import VOICES, synthesize
    from talkie.bench.sentences import SENTENCES
    from talkie.runtime.passages import spoken_passages
    from talkie.runtime.tuning_speech import Said

    note("no --speech given, so the built-in voices speak; recordings of people tell more.")
    with tempfile.TemporaryDirectory(prefix="talkie-tune-") as directory:
        for language in VOICES:
            if language in languages:
                yield from _loaded(synthesize(Path(directory), SENTENCES[language], language))
    if "en" in languages:
        yield from (Said(one.samples, one.text, "en") for one in spoken_passages())


def _loaded(recordings: Iterable[Recording]) -> Iterator[Said]:
    """No more than will be listened to."""
    from talkie.audio.decode import load_audio
    from talkie.runtime.tuning_speech import MAX_SECONDS, Said

    left_s = MAX_SECONDS
    for one in recordings:
        audio = load_audio(one.path)
        left_s -= audio.duration_s
        if left_s < 0:
            return
        yield Said(audio.samples, one.text, one.language)
