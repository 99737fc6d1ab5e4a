"""Texts of 64 words in domains that overlap: a router can only guess, and rules have much in common.

An input is ``(positions, 16)``: a token in each position. A token is one of 64 words, which are vectors of -1
and 1, plus -1/2 or 1/2 in each feature. This noise never changes a sign, so signs tell the word. A domain is
a distribution of words, and nothing else tells it. Two of the eight domains are one under two names: the same
distribution and the same rule.

The class is the one with the highest score under the rule of the domain, a two-layer network that all
positions share: the sum over positions of max_j (w0 + rho * delta)_j . x_s, where w0 is common to all
domains, less an offset. Ties, about one text in 5,000, go to the first class.

Everything is an integer, below 2^24 even in sums, so float32 holds it exactly, and every order of summation
gives the same bits: that is why matrix products may be used here. Labels have no noise, because uncertain
domains limit the accuracy already. No text is drawn again because its class leads by little, as in version 1:
that would change how often words occur, by which the probability of a domain is known exactly.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sparsebench.tasks.generation import stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sparsebench.tasks import InstanceSpec

    Int64 = NDArray[np.int64]
    Float32 = NDArray[np.float32]
    Float64 = NDArray[np.float64]
    Columns = dict[str, Int64 | Float32]

REF, FAMILY = "routed-classification@2", "tokens-8"
"""All instances share the words, domains and rules of `FAMILY`, and its seed."""
WORDS, FEATURES, CLASSES, DOMAINS, PIECES = 64, 16, 10, 8, 2
RULES = DOMAINS - 1
"""Distributions, each with its rule: the last is that of two domains."""
URN, ALPHA_TENTHS = 1024, 3
"""Draws from a domain's urn, and the parameter of its Dirichlet distribution times 10."""
SHARE = 16
"""Of 64 tokens, how many are from the domain's own words; the others are from all words alike."""
UNIT = 64 * URN
"""Probabilities of words are integers over this."""
LEVELS = 256
"""The parts of weights, w0 and delta, have whole entries from -256 to 256, uniform."""
BLOCK = 1 << 11
"""Tokens that are scored at once."""
STRATUM = 256
"""Tokens of each word by which the mean of a score is estimated."""
NONE = np.empty((0, 1), dtype=np.uint32)
ROWS = {"train": 32768, "valid": 4096, "test": 8192}


@dataclass(frozen=True, slots=True)
class Setting:
    """What one instance of the family is made with."""

    positions: int
    halves: int
    """rho times 2."""


SETTINGS = {
    "tokens-8": Setting(64, 2),
    "tokens-8-half": Setting(64, 1),
    "tokens-8-s1": Setting(1, 2),
    "tokens-8-s4": Setting(4, 2),
    "tokens-8-s16": Setting(16, 2),
}


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """Words, domains and rules."""

    words: Int64
    """``(64, 16)``, entries -1 or 1, all distinct."""
    frequencies: Int64
    """``(7, 64)``: the probability of each word in each distribution, over `UNIT`."""
    weights: Int64
    """``(7, classes, pieces, 16)``: 2 (w0 + rho delta)."""
    offsets: Int64
    """``(7, classes)``: taken from the score of each position, so that no class wins much more often."""

    def words_of(self, x: Float32) -> Int64:
        """Read the words of inputs ``(n, positions, 16)`` by their signs: ``(n, positions)``."""
        number_of = np.full(1 << FEATURES, -1, dtype=np.int64)
        number_of[_packed(self.words > 0)] = np.arange(WORDS)
        return number_of[_packed(x > 0)]

    def posterior(self, x: Float32) -> Float64:
        """Return the probability of each distribution given each input: ``(n, positions, 16)`` → ``(n, 7)``.

        Exact but for the rounding of float64: distributions are products over positions, the last comes
        twice as often as another, and noise tells nothing.
        """
        chance = np.tile(prior(), (len(x), 1))
        for word in self.words_of(x).T:
            chance *= self.frequencies[:, word].T
            total = chance[:, 0].copy()
            for column in chance.T[1:]:  # in this order everywhere
                total += column
            chance /= total[:, None]
        return chance

    def scores(self, x: Float32, rule: int) -> Float32:
        """Score each class under a rule: x ``(n, positions, 16)`` → ``(n, classes)``, whole numbers."""
        first, *others = np.ascontiguousarray(self.weights[rule].transpose(1, 2, 0), dtype=np.float32)
        offsets, positions = self.offsets[rule].astype(np.float32), x.shape[1]
        out = np.empty((len(x), CLASSES), dtype=np.float32)
        step = max(1, BLOCK // positions)
        for start in range(0, len(x), step):  # what stays in the cache is quicker
            tokens = 2 * x[start : start + step].reshape(-1, FEATURES)
            best = tokens @ first
            for piece in others:
                np.maximum(best, tokens @ piece, out=best)
            best.reshape(-1, positions, CLASSES).sum(axis=1, out=out[start : start + step])
        return out - positions * offsets

    def answers(self, x: Float32) -> Int64:
        """Give the class under each of the rules: ``(n, positions, 16)`` → ``(n, 7)``."""
        return np.stack([self.scores(x, rule).argmax(axis=1) for rule in range(RULES)], axis=1)


def beliefs(chance: Float64, answers: Int64) -> Float64:
    """Add up the probabilities of the rules that give each class; both ``(n, 7)`` → ``(n, classes)``."""
    mass, rows = np.zeros((len(chance), CLASSES)), np.arange(len(chance))
    for rule in range(RULES):
        mass[rows, answers[:, rule]] += chance[:, rule]
    return mass


def _packed(bits: NDArray[np.bool_]) -> Int64:
    """Turn the last axis of 16 bits into a number, the first bit counting least."""
    return np.asarray((bits * (1 << np.arange(FEATURES))).sum(axis=-1))


def prior() -> Float64:
    """Return how frequent each distribution is: 1/8, and 1/4 for that of two domains."""
    return np.array([1.0] * (RULES - 1) + [DOMAINS - RULES + 1.0]) / DOMAINS


def rules_of(tag: Int64) -> Int64:
    """Give the distribution and rule of each domain: the last two domains have the same."""
    return np.minimum(tag, RULES - 1)


def oracle_operations(positions: int) -> int:
    """Count what the rule of a known domain costs as it is written.

    For each position and class `PIECES` inner products and their maximum; then sums over positions, an offset
    for each class, and the comparison of the classes.
    """
    position = CLASSES * (PIECES * (2 * FEATURES - 1) + PIECES - 1)
    return positions * position + CLASSES * (positions - 1) + CLASSES + CLASSES - 1


@functools.lru_cache(maxsize=4)
def language(seed: int | None, halves: int) -> Language:
    """Draw words, domains and rules; only the rules depend on rho."""

    def opened(purpose: str) -> np.random.Generator:
        return stream(REF, FAMILY, seed, purpose)

    codes = opened("words").permutation(1 << FEATURES)[:WORDS]
    words = 2 * (codes[:, None] >> np.arange(FEATURES) & 1) - 1
    urns = opened("domains")
    own = np.stack([polya(urns) for _ in range(RULES)])
    frequencies = SHARE * own + (64 - SHARE) * URN // WORDS
    shared, apart = (
        opened("rules").integers(-LEVELS, LEVELS + 1, size=(1 + RULES, CLASSES, PIECES, FEATURES))[part]
        for part in (slice(0, 1), slice(1, None))
    )
    unset = Language(
        words, frequencies, 2 * shared + halves * apart, np.zeros((RULES, CLASSES), dtype=np.int64)
    )
    return Language(words, frequencies, unset.weights, mean_scores(unset, opened("offsets")))


def polya(rng: np.random.Generator) -> Int64:
    """Draw from an urn `URN` times, each time putting back the word and one more of it; ``(64,)``.

    It begins with 3/10 of each word. The shares of the words drawn become a Dirichlet(3/10) variable as draws
    go on (Blackwell and MacQueen 1973); so many are such a variable rounded at random to 1/1024, in integers.
    """
    counts = np.zeros(WORDS, dtype=np.int64)
    for drawn in range(URN):
        ball = rng.integers(0, ALPHA_TENTHS * WORDS + 10 * drawn)
        counts[np.searchsorted(np.cumsum(ALPHA_TENTHS + 10 * counts), ball, side="right")] += 1
    return counts


def mean_scores(unset: Language, rng: np.random.Generator) -> Int64:
    """Estimate what each class scores at a position on average, rounded down; ``(7, classes)``."""
    word = np.repeat(np.arange(WORDS), STRATUM)[:, None]
    x = tokens(unset, word, rng.integers(0, 1 << FEATURES, size=word.shape, dtype=np.uint16))
    sums = [
        unset.scores(x, rule).astype(np.int64).reshape(WORDS, STRATUM, CLASSES).sum(axis=1)
        for rule in range(RULES)
    ]
    weighted = [
        (frequency[:, None] * each).sum(axis=0)
        for frequency, each in zip(unset.frequencies, sums, strict=True)
    ]
    return np.stack(weighted) // (UNIT * STRATUM)


def tokens(drawn: Language, word: Int64, noise: NDArray[np.uint16]) -> Float32:
    """Put words and noise, a bit for each feature, together: ``(n, positions)`` → ``(n, positions, 16)``."""
    x = drawn.words.astype(np.float32)[word]
    half = np.unpackbits(noise.astype("<u2").view(np.uint8), bitorder="little").reshape(x.shape)
    x += half
    x -= np.float32(0.5)
    return x


def draw_words(drawn: Language, rng: np.random.Generator, rule: Int64, positions: int) -> Int64:
    """Draw the words of texts of given distributions: ``(n, positions)``."""
    place = rng.integers(0, UNIT, size=(len(rule), positions))
    word = np.empty_like(place)
    for number, frequency in enumerate(drawn.frequencies):
        rows = np.flatnonzero(rule == number)
        word[rows] = np.searchsorted(np.cumsum(frequency), place[rows], side="right")
    return word


def draw_noise(rng: np.random.Generator, word: Int64, others: NDArray[np.uint32]) -> NDArray[np.uint16]:
    """Draw noise, 16 bits a token, until no text ``(n, positions)`` is there twice, or among the others.

    Others are ``(m, positions)`` of `coded`. Noise tells nothing of the domain, so drawing it again does not
    change what x tells; only where there is one position is there anything to draw again.
    """
    noise = np.empty(word.shape, dtype=np.uint16)
    pending = np.arange(len(word))
    while len(pending):
        noise[pending] = rng.integers(0, 1 << FEATURES, size=(len(pending), word.shape[1]), dtype=np.uint16)
        seen = {row.tobytes() for row in others}
        again = []
        for number, row in enumerate(coded(word, noise)):
            key = row.tobytes()
            if key in seen:
                again.append(number)
            seen.add(key)
        pending = np.array(again, dtype=np.int64)
    return noise


def coded(word: Int64, noise: NDArray[np.uint16]) -> NDArray[np.uint32]:
    """Write each token as one number."""
    return word.astype(np.uint32) << FEATURES | noise


def even(rng: np.random.Generator, n: int) -> Int64:
    """Draw the domains of n rows: as many of one as of another, in random order."""
    return rng.permutation(np.arange(n) % DOMAINS)


def clean_labels(drawn: Language, x: Float32, rule: Int64) -> Int64:
    """Give the classes of texts under their own rules; ``(n,)``."""
    y = np.empty(len(x), dtype=np.int64)
    for number in range(RULES):
        rows = np.flatnonzero(rule == number)
        y[rows] = drawn.scores(x[rows], number).argmax(axis=1)
    return y


def texts(spec: InstanceSpec) -> tuple[Int64, Int64, NDArray[np.uint16]]:
    """Draw what the splits are made of: domains ``(n,)``, words and noise ``(n, positions)``."""
    setting = SETTINGS[spec.name]
    drawn = language(spec.seed, setting.halves)
    rngs = {purpose: stream(REF, spec.name, spec.seed, purpose) for purpose in ("tags", "content", "noise")}
    tag = np.concatenate([even(rngs["tags"], n) for n in ROWS.values()])
    word = draw_words(drawn, rngs["content"], rules_of(tag), setting.positions)
    return tag, word, draw_noise(rngs["noise"], word, NONE)


def build(spec: InstanceSpec) -> dict[str, Columns]:
    """Make an instance's three files; ids run through train, valid and test."""
    drawn, (tag, word, noise) = language(spec.seed, SETTINGS[spec.name].halves), texts(spec)
    x = tokens(drawn, word, noise)
    y = clean_labels(drawn, x, rules_of(tag))
    files: dict[str, Columns] = {}
    start = 0
    for split, rows in ROWS.items():
        part = slice(start, start + rows)
        ids = np.arange(start, start + rows, dtype=np.int64)
        files[f"{spec.name}-{split}.parquet"] = {"id": ids, "x": x[part], "y": y[part], "tag": tag[part]}
        start += rows
    return files


def fresh(spec: InstanceSpec, rng: np.random.Generator, n: int) -> Columns:
    """Draw n new texts of an instance's domains; none is in a split."""
    setting = SETTINGS[spec.name]
    drawn = language(spec.seed, setting.halves)
    tag = even(rng, n)
    word = draw_words(drawn, rng, rules_of(tag), setting.positions)
    # Of longer texts none is drawn twice: there are 2^64 noises of 4 positions.
    others = coded(*texts(spec)[1:]) if setting.positions == 1 else NONE
    x = tokens(drawn, word, draw_noise(rng, word, others))
    return {"x": x, "y": clean_labels(drawn, x, rules_of(tag)), "tag": tag}


def label(spec: InstanceSpec, x: Float32) -> Int64:
    """Give the most probable class of each text, whose domain is not told: the best answer there is."""
    drawn = language(spec.seed, SETTINGS[spec.name].halves)
    return np.argmax(beliefs(drawn.posterior(x), drawn.answers(x)), axis=1).astype(np.int64)
