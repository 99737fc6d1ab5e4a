"""Language identification: strings of software in 170 languages; the domain of a string is its script.

Strings come from two packages of PyPI, Babel and Django. What is made of them does not depend on the order in
which those list them: strings are sorted before anything is drawn.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from language_sources import babel_strings, django_strings
from language_text import DOMAINS, clean, cut, domain, embed, skeleton

from sparsebench.tasks.generation import stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from sparsebench.tasks import InstanceSpec

REF = "routed-classification@1"
SHORTEST, SHORTEST_EAST_ASIAN = 5, 3
"""Characters of the shortest strings; a syllable or a word takes one of the latter."""
FEWEST, MOST = 300, 1000
"""Strings of a language in a domain: it is left out where there are fewer, and some are drawn of more."""
SHARES = {"train": 80, "valid": 8, "test": 12}
"""Per cent of the groups of near-duplicates."""


class Row(NamedTuple):
    """A string, and what it is."""

    text: str
    language: str
    tag: int


def unambiguous(strings: Iterable[tuple[str, str]]) -> list[Row]:
    """Clean and cut strings, given with their languages, and keep those that can only be of one.

    Returns
    -------
    list of Row
        In the order of the texts, which are distinct and long enough, each in one domain.
    """
    languages: defaultdict[str, set[str]] = defaultdict(set)
    for language, raw in strings:
        languages[cut(clean(raw))].add(language)
    found = [Row(text, min(of), domain(text)) for text, of in sorted(languages.items()) if len(of) == 1]
    east = list(DOMAINS).index("east-asian")
    shortest = {tag: SHORTEST_EAST_ASIAN if tag == east else SHORTEST for tag in range(len(DOMAINS))}
    return [row for row in found if row.tag in shortest and len(row.text) >= shortest[row.tag]]


def distinct(rows: list[Row]) -> list[Row]:
    """Leave out rows whose embedding is that of another: the hash cannot tell them apart."""
    keys = [x.tobytes() for x in embed([row.text for row in rows])]
    seen = Counter(keys)
    return [row for row, key in zip(rows, keys, strict=True) if seen[key] == 1]


def balanced(rows: list[Row], rng: np.random.Generator) -> list[Row]:
    """Draw at most `MOST` rows of each language in each domain, of those that have at least `FEWEST`."""
    number = Counter((row.language, row.tag) for row in rows)
    taken: Counter[tuple[str, int]] = Counter()
    drawn = []
    for row in (rows[i] for i in rng.permutation(len(rows)).tolist()):
        pair = row.language, row.tag
        taken[pair] += 1
        if number[pair] >= FEWEST and taken[pair] <= MOST:
            drawn.append(row)
    return sorted(drawn)


def split(rows: Sequence[Row], rng: np.random.Generator) -> dict[str, list[Row]]:
    """Deal rows out to the splits, with all rows of one skeleton in one of them, and shuffle each."""
    groups = sorted({skeleton(row.text) for row in rows})
    place = dict(zip(groups, rng.permutation(len(groups)).tolist(), strict=True))
    order = [rows[i] for i in rng.permutation(len(rows)).tolist()]
    parts, low = {}, 0
    for name, share in SHARES.items():
        high = low + share
        # place / len(groups) is in [low, high) per cent, in integers.
        inside = range(-(-low * len(groups) // 100), -(-high * len(groups) // 100))
        parts[name] = [row for row in order if place[skeleton(row.text)] in inside]
        low = high
    return parts


def columns(rows: Sequence[Row], classes: Sequence[str], start: int) -> dict[str, NDArray[np.generic]]:
    """Make a file's columns; ids from a start on, classes numbered in their order."""
    number = {language: y for y, language in enumerate(classes)}
    return {
        "id": np.arange(start, start + len(rows), dtype=np.int64),
        "x": embed([row.text for row in rows]).astype(np.float32),
        "y": np.array([number[row.language] for row in rows], dtype=np.int64),
        "tag": np.array([row.tag for row in rows], dtype=np.int64),
    }


def candidates(spec: InstanceSpec) -> dict[str, list[Row]]:
    """Read all strings, and return the rows of the splits."""
    rows = distinct(unambiguous({*babel_strings(), *django_strings()}))
    drawn = balanced(rows, stream(REF, spec.name, spec.seed, "strings"))
    return split(drawn, stream(REF, spec.name, spec.seed, "split"))


def build(spec: InstanceSpec) -> dict[str, dict[str, NDArray[np.generic]]]:
    """Make an instance's three files; classes are languages, in the order of their codes."""
    parts = candidates(spec)
    classes = sorted({row.language for rows in parts.values() for row in rows})
    files, start = {}, 0
    for name, rows in parts.items():
        files[f"{spec.name}-{name}.parquet"] = columns(rows, classes, start)
        start += len(rows)
    return files
