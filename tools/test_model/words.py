"""What the test model can say: its words, its sentences and its tokens. Pure Python; the tests import it."""

import json
import random
from typing import Any

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
COMMANDS = (
    *("yes", "no", "on", "off", "stop", "go", "up", "down", "left", "right", "open", "close"),
    *("light", "lamp", "door", "window", "music", "volume", "start", "play", "turn", "the", "and", "now"),
    *("please", "hello", "talkie", "good", "morning", "thank", "you", "red", "green", "blue"),
    *("what", "time", "is", "it"),
)
WORDS = DIGITS + COMMANDS

_PLACES = {
    "THING": ("light", "lamp", "music", "volume"),
    "LAMP": ("light", "lamp"),
    "HOLE": ("door", "window"),
    "SWITCH": ("on", "off"),
    "COLOUR": ("red", "green", "blue"),
    "WAY": ("left", "right", "up", "down"),
    "DIGIT": DIGITS,
}
SENTENCES = (
    *("turn SWITCH the THING", "turn the THING SWITCH", "turn the COLOUR LAMP SWITCH", "please open the HOLE"),
    *("open the HOLE", "close the HOLE", "close the HOLE now", "open the COLOUR HOLE please"),
    *("play the music", "stop the music", "start the music please", "go WAY", "turn WAY", "go WAY and turn WAY"),
    *("hello talkie", "good morning talkie", "talkie what time is it", "what time is it", "what time is it now"),
    *("thank you talkie", "thank you", "yes please", "no thank you", "no stop now", "turn the volume WAY"),
    *("volume WAY", "COLOUR LAMP SWITCH please", "open HOLE DIGIT", "LAMP DIGIT SWITCH", "is it DIGIT DIGIT"),
    *("play music DIGIT", "talkie turn the LAMP SWITCH and close the HOLE", "is the HOLE open", "the time is DIGIT"),
)

SPECIALS = (
    *("<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|translate|>", "<|transcribe|>", "<|startoflm|>"),
    *("<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"),
)
TIMESTAMP_STEP_S = 0.02
TIMESTAMPS = 1501


def random_digits(rng: random.Random, count: int) -> list[str]:
    return [rng.choice(DIGITS) for _ in range(count)]


def random_words(rng: random.Random, count: int) -> list[str]:
    return [rng.choice(WORDS) for _ in range(count)]


def random_sentence(rng: random.Random) -> list[str]:
    return [rng.choice(_PLACES[word]) if word.isupper() else word for word in rng.choice(SENTENCES).split()]


def byte_alphabet() -> list[str]:
    """The printable character that stands for each byte in GPT-2's byte-level alphabet, in the order of bytes."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(others)) for byte in range(256)]


class Vocabulary:
    """Token numbers: 256 bytes, then what merges make (every " word" is one), specials, timestamps."""

    def __init__(self) -> None:
        self.tokens = byte_alphabet()
        self.merges: list[tuple[str, str]] = []
        known = set(self.tokens)
        for word in WORDS:
            left = self.tokens[ord(" ")]
            for letter in word:
                if left + letter not in known:
                    known.add(left + letter)
                    self.tokens.append(left + letter)
                    self.merges.append((left, letter))
                left += letter
        self.text_size = len(self.tokens)
        self.tokens.extend(SPECIALS)
        self.timestamp_begin = len(self.tokens)
        self.tokens.extend(f"<|{index * TIMESTAMP_STEP_S:.2f}|>" for index in range(TIMESTAMPS))
        self.ids = {token: index for index, token in enumerate(self.tokens)}

    def __len__(self) -> int:
        return len(self.tokens)

    def word(self, word: str) -> int:
        return self.ids[self.tokens[ord(" ")] + word]

    def special(self, name: str) -> int:
        return self.ids[f"<|{name}|>"]

    def text(self, ids: list[int]) -> str:
        """The text of whole words; specials and timestamps are left out."""
        space = self.tokens[ord(" ")]
        return "".join(self.tokens[index] for index in ids if index < self.text_size).replace(space, " ").strip()

    def tokenizer_json(self) -> str:
        """The file that the `tokenizers` package reads."""
        added = [
            {"id": index, "content": token, "special": index < self.timestamp_begin}
            | dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
            for index, token in enumerate(self.tokens)
            if index >= self.text_size
        ]
        byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
        document: dict[str, Any] = {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": added,
            "normalizer": None,
            "pre_tokenizer": byte_level,
            "post_processor": None,
            "decoder": byte_level,
            "model": {
                "type": "BPE",
                "dropout": None,
                "unk_token": None,
                "continuing_subword_prefix": "",
                "end_of_word_suffix": "",
                "fuse_unk": False,
                "byte_fallback": False,
                "vocab": {token: index for index, token in enumerate(self.tokens[: self.text_size])},
                "merges": [" ".join(pair) for pair in self.merges],
            },
        }
        return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
