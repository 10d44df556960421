from __future__ import annotations

import os
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from fakes_voice import RATE_HZ, tone
from talkie.runtime.speech_cache import CacheKey, SpeechCache, cache_key
from talkie.types import Mark, SpeechChunk

TEXT = "a secret that nobody may read on the disk"
CHUNKS = [
    SpeechChunk(tone(0.2), RATE_HZ, (Mark("word", "secret", 0.0, 0.1), Mark("viseme", "X", 0.1, 0.2, estimated=True))),
    SpeechChunk(tone(0.5)[::-1].copy(), RATE_HZ, (Mark("phoneme", "ə", 0.2, 0.7),)),
    SpeechChunk(np.zeros(0, np.float32), RATE_HZ),
]


def key(text: str = TEXT) -> CacheKey:
    return cache_key(("engine", "voice", 1.0, text))


def keep(cache: SpeechCache, of: CacheKey, chunks: list[SpeechChunk] = CHUNKS) -> None:
    with cache.writer(of) as writer:
        for chunk in chunks:
            writer.add(chunk)
        writer.finish()


@pytest.fixture
def cache(tmp_path: Path) -> SpeechCache:
    return SpeechCache(tmp_path / "cache" / "speech", 1_000_000)


def files(cache: SpeechCache) -> list[Path]:
    return sorted(cache.directory.iterdir()) if cache.directory.exists() else []


def test_what_is_kept_comes_back_as_it_was(cache: SpeechCache) -> None:
    assert cache.find(key()) is None
    keep(cache, key())
    found = cache.find(key())
    assert found is not None and len(found) == len(CHUNKS)
    for mine, theirs in zip(found, CHUNKS, strict=True):
        assert mine.marks == theirs.marks and mine.sample_rate == theirs.sample_rate
        np.testing.assert_allclose(mine.samples, theirs.samples, atol=1 / 32767)
    assert cache.find(key("another text")) is None


def test_every_word_of_the_key_counts() -> None:
    assert cache_key(("ab", "c")) != cache_key(("a", "bc"))
    assert len({cache_key((voice, text)).name for voice in "ab" for text in "ab"}) == 4


def test_nothing_on_the_disk_can_be_read_or_heard(cache: SpeechCache) -> None:
    keep(cache, key())
    (file,) = files(cache)
    data = file.read_bytes()
    assert b"secret" not in data and b"word" not in data and "secret" not in file.name
    pcm = (CHUNKS[0].samples[:64] * 32767).round().astype("<i2").tobytes()
    assert pcm not in data
    assert len(zlib.compress(data[100:])) > 0.99 * len(data[100:]), "there is no pattern in it"
    assert file.stat().st_mode & 0o777 == 0o600
    assert cache.directory.stat().st_mode & 0o777 == 0o700


def test_an_entry_under_another_key_is_none(cache: SpeechCache) -> None:
    keep(cache, key())
    stolen = CacheKey(key().name, key("another text").secret)
    assert cache.find(stolen) is None


@pytest.mark.parametrize("damage", ["cut", "bit", "head", "empty", "longer", "index"])
def test_a_damaged_entry_is_thrown_away(cache: SpeechCache, damage: str) -> None:
    keep(cache, key())
    (file,) = files(cache)
    data = bytearray(file.read_bytes())
    if damage == "cut":
        del data[-10:]
    elif damage == "bit":
        data[len(data) // 2] ^= 1
    elif damage == "head":
        data[0] ^= 1
    elif damage == "longer":
        data += b"x"
    elif damage == "index":
        data[54:58] = b"\xff\xff\xff\x7f"
    file.write_bytes(b"" if damage == "empty" else bytes(data))
    assert cache.find(key()) is None
    assert files(cache) == []


def test_what_was_left_in_the_midst_is_not_kept(cache: SpeechCache) -> None:
    with pytest.raises(ZeroDivisionError), cache.writer(key()) as writer:
        writer.add(CHUNKS[0])
        assert len(files(cache)) == 1
        assert b"secret" not in files(cache)[0].read_bytes()
        raise ZeroDivisionError
    assert cache.find(key()) is None
    assert files(cache) == []


def test_what_was_not_asked_for_longest_goes_first(cache: SpeechCache) -> None:
    second = [SpeechChunk(tone(3.0), RATE_HZ)]  # 96 kB of a megabyte
    for number in range(10):
        keep(cache, key(f"text {number}"), second)
        os.utime(cache.directory / key(f"text {number}").name, (number, number))
    assert cache.find(key("text 0")) is not None, "asked for now: it stays"
    keep(cache, key("text 10"), second)
    assert cache.find(key("text 1")) is None
    assert cache.find(key("text 0")) is not None and cache.find(key("text 10")) is not None
    assert sum(file.stat().st_size for file in files(cache)) <= 1_000_000


def test_one_entry_never_takes_most_of_the_cache(cache: SpeechCache) -> None:
    keep(cache, key(), [SpeechChunk(tone(10.0), RATE_HZ)])
    assert cache.find(key()) is None and files(cache) == []


def test_what_a_kill_left_is_swept(cache: SpeechCache) -> None:
    cache.directory.mkdir(parents=True)
    for name, time_s in ((".part-old", 1000.0), (".part-new", None)):
        (cache.directory / name).write_bytes(b"x")
        if time_s is not None:
            os.utime(cache.directory / name, (time_s, time_s))
    keep(cache, key())
    assert {file.name for file in files(cache)} == {".part-new", key().name}


def test_off_means_off(tmp_path: Path) -> None:
    cache = SpeechCache(tmp_path / "cache", 0)
    keep(cache, key())
    assert not cache.is_on and cache.find(key()) is None and not (tmp_path / "cache").exists()


def test_a_disk_that_refuses_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the directory should be")
    cache = SpeechCache(tmp_path / "cache" / "speech", 1_000_000)
    keep(cache, key())
    assert cache.find(key()) is None


def test_many_at_once(cache: SpeechCache) -> None:
    def one(number: int) -> bool:
        keep(cache, key(f"text {number % 5}"))
        found = cache.find(key(f"text {number % 5}"))
        return found is not None and len(found) == len(CHUNKS)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(one, range(40)))
    assert len(files(cache)) == 5
