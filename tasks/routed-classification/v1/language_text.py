"""Text of language-id: what is kept of a string, which domain its letters are of, and its embedding."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    UInt64 = NDArray[np.uint64]

POSITIONS = 24
"""How many characters of a string are kept."""
BITS = {"block": 6, "character": 5, "trigram": 5}
"""Features of a position, in this order, and what they depend on."""
FEATURES = sum(BITS.values())
BLOCK, LARGE_BLOCK, LARGE_FROM = 128, 4096, 0x3000
"""Code points in a block, in one from U+3000 on, where East Asian scripts are, and that place."""

DOMAINS = {
    "latin": "LATIN",
    "cyrillic": "CYRILLIC",
    "arabic": "ARABIC",
    "devanagari": "DEVANAGARI",
    "east-asian": "CJK HANGUL HIRAGANA KATAKANA KATAKANA-HIRAGANA",
    "brahmic": "BENGALI CHAKMA GUJARATI GURMUKHI KANNADA KHMER LAO MALAYALAM MYANMAR ORIYA SINHALA TAMIL "
    "TELUGU THAI TIBETAN",
    "other": "ADLAM ARMENIAN CHEROKEE COPTIC ETHIOPIC GEORGIAN GREEK HEBREW NKO OL SYRIAC",
}
"""Name of a domain → its scripts, by the first words of their letters' names, in the order of the tags."""
TAGS = {script: tag for tag, scripts in enumerate(DOMAINS.values()) for script in scripts.split()}

MARKUP = re.compile(
    r"%\(\w*\)[#0+-]*\d*(?:\.\d+)?[a-zA-Z]"  # printf's, with a name: %(count)d
    r"|%[#0+-]*\d*(?:\.\d+)?[a-zA-Z]"  # and without
    r"|\{[^{}]*\}"  # str.format's
    r"|<[^<>]*>|&\#?\w+;"  # HTML
    r"|\w+://\S+|\S+@\S+"  # addresses
)


@cache
def kind(character: str) -> str:
    """Return the first letter of a character's general category, but F for format characters."""
    category = unicodedata.category(character)
    return "F" if category == "Cf" else category[0]


def clean(raw: str) -> str:
    """Keep the letters of a string, and their marks, in lower case: NFC, casefolded, words one space apart.

    Placeholders and markup go, and so does whatever is invisible; other characters part words.
    """
    text = unicodedata.normalize("NFC", MARKUP.sub(" ", raw)).casefold()
    kept = (c if kind(c) in "LM" else "" if kind(c) == "F" else " " for c in text)
    # Case folding takes some letters apart, and marks may have come next to others.
    return unicodedata.normalize("NFC", " ".join("".join(kept).split()))


def cut(text: str) -> str:
    """Cut a clean string to its first `POSITIONS` characters."""
    return text[:POSITIONS].rstrip()


@cache
def tag_of(letter: str) -> int:
    """Return the tag of a letter's script, or -1 if it is of no domain."""
    return TAGS.get(unicodedata.name(letter, "").partition(" ")[0], -1)


def domain(text: str) -> int:
    """Return the tag of more than half of a text's letters, or -1 if no domain has as many."""
    tags = Counter(tag_of(character) for character in text if kind(character) == "L")
    tag, most = max(tags.items(), key=lambda item: item[1], default=(-1, 0))
    return tag if 2 * most > tags.total() else -1


def skeleton(text: str) -> str:
    """Return a clean text's letters alone, without accents, vowel signs and spaces.

    Strings that have it in common are near-duplicates, and stay in one split.
    """
    return "".join(c for c in unicodedata.normalize("NFKD", text) if kind(c) == "L")


def mix(key: UInt64) -> UInt64:
    """Mix the bits of integers, of any shape: a step of SplitMix64, as in Java 8's SplittableRandom.

    G. L. Steele, D. Lea, C. H. Flood, Fast splittable pseudorandom number generators, OOPSLA 2014.
    """
    z = key + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def signs(key: UInt64, purpose: int, count: int) -> NDArray[np.int8]:
    """Hash integers to -1 and 1: the lowest bits of mix(mix(key) + purpose), the lowest first.

    ``(...)`` → ``(..., count)``.
    """
    shifts = np.arange(count, dtype=np.uint64)
    bits = (mix(mix(key) + np.uint64(purpose))[..., None] >> shifts) & np.uint64(1)
    return bits.astype(np.int8) * np.int8(2) - np.int8(1)


def block(codes: UInt64) -> UInt64:
    """Return the first code points of the blocks that code points, of any shape, are in."""
    sizes = np.where(codes < np.uint64(LARGE_FROM), np.uint64(BLOCK), np.uint64(LARGE_BLOCK))
    return codes // sizes * sizes


def embed(texts: Sequence[str]) -> NDArray[np.int8]:
    """Embed clean texts of at most `POSITIONS` characters each, one character after the other.

    Features of a position are signs hashed from the character's block, the character itself, and the trigram
    of it and its neighbours, where a space is before and after the text. Beyond the text they are 0.

    Returns
    -------
    ndarray
        ``(n, POSITIONS, FEATURES)`` int8 of -1, 0 and 1.
    """
    codes = np.zeros((len(texts), POSITIONS + 2), dtype=np.uint64)
    for row, text in enumerate(texts):
        codes[row, : len(text) + 2] = [ord(character) for character in f" {text} "]
    before, here, after = codes[:, :-2], codes[:, 1:-1], codes[:, 2:]
    # A code point has 21 bits.
    trigram = before | (here << np.uint64(21)) | (after << np.uint64(42))
    keys = {"block": block(here), "character": here, "trigram": trigram}
    parts = [signs(keys[name], purpose, count) for purpose, (name, count) in enumerate(BITS.items())]
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    there = np.arange(POSITIONS) < lengths[:, None]
    return np.concatenate(parts, axis=-1) * there[..., None]
