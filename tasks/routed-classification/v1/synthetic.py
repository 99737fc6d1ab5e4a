"""Domains that are recognised exactly, each with a rule of its own and noisy labels.

An input is ``(positions, 8)``. Position 0 tells the domain: a prototype, plus noise too small to reach the
next one. The other positions are content, and a label is the class whose score is highest under the rule of
the domain. A tenth of the labels are then replaced by a uniformly drawn class, so the best accuracy that
any model can expect is known: 1 - 1/10 + 1/10 divided by the number of classes.

All values are multiples of 1/32 and all weights too, so everything is done in integers, the numerators:
nothing is ever rounded, and every order of summation gives the same label.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from sparsebench.tasks.generation import stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sparsebench.tasks import InstanceSpec

    Int64 = NDArray[np.int64]
    Columns = dict[str, Int64 | NDArray[np.float32]]

REF = "routed-classification@1"
UNIT = 32
"""Values and weights are integers over this."""
FEATURES, CLASSES = 8, 4
DRAWS = 2048
"""Inputs of a domain over which scores are averaged, where rules have pieces."""
NOISE = 0.1
"""The share of labels that are drawn anew, from all classes alike."""
BAYES_ACCURACY = 1.0 - NOISE + NOISE / CLASSES
"""What a model expects that gives every input the label it had before the noise."""
HAMMING = (
    (1, 0, 0, 0, 0, 1, 1, 1),
    (0, 1, 0, 0, 1, 0, 1, 1),
    (0, 0, 1, 0, 1, 1, 0, 1),
    (0, 0, 0, 1, 1, 1, 1, 0),
)
"""Generators of the extended Hamming code [8, 4, 4]: two of its 16 words differ in 4 places, or in all 8."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What one instance of the family is made with."""

    domains: int
    """A power of two, at most 16."""
    content: int
    """Positions beside position 0."""
    pieces: int
    """1: positions have weights of their own, and rules are linear. More: positions share their weights."""
    margin: int
    """How far the best class is above the next, at least, in units of 1/32^2."""
    rows: dict[str, int]
    """Split → rows."""


SETTINGS = {
    "synthetic-4": Setting(4, 3, 1, UNIT**2 // 4, {"train": 16384, "valid": 2048, "test": 8192}),
    "synthetic-16": Setting(16, 3, 1, UNIT**2 // 4, {"train": 32768, "valid": 2048, "test": 8192}),
    "synthetic-16-piecewise": Setting(16, 7, 2, UNIT**2 // 2, {"train": 32768, "valid": 2048, "test": 8192}),
}


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """Prototypes and rules of an instance, in numerators over `UNIT`."""

    prototypes: Int64
    """``(D, 8)``, entries -2 or 2 (here ±64). Two differ in at least 4 places: they are 8 apart, or more."""
    weights: Int64
    """``(D, classes, pieces, content positions, 8)``, from -1 to 1 (here -32 to 32)."""
    offsets: Int64
    """``(D, classes)``: taken from the scores, in units of 1/32^2, so that no class wins much more often."""

    def oracle(self, x: NDArray[np.float32]) -> Int64:
        """Tell the domain of each input: the nearest prototype; x ``(n, positions, 8)`` → ``(n,)``.

        It never errs: noise is below 1 in each of 8 features, so below the root of 8, which is 2.83, in all;
        and half the distance of two prototypes is 4.
        """
        here = numerators(x)[:, 0]
        distances = [((here - prototype) ** 2).sum(axis=1) for prototype in self.prototypes]
        return np.argmin(np.stack(distances, axis=1), axis=1).astype(np.int64)

    def scores(self, x: NDArray[np.float32], tag: Int64) -> Int64:
        """Score each class under the rule of each input's domain; x ``(n, positions, 8)`` → ``(n, classes)``.

        The score of a class is the sum over content positions of the largest of its pieces' inner products
        with what is there, less an offset. In units of 1/32^2.
        """
        content, out = numerators(x)[:, 1:], np.empty((len(x), CLASSES), dtype=np.int64)
        for domain, weights in enumerate(self.weights):
            rows = np.flatnonzero(tag == domain)
            products = weights * content[rows, None, None]  # (rows, classes, pieces, positions, 8)
            out[rows] = products.sum(axis=4).max(axis=2).sum(axis=2) - self.offsets[domain]
        return out

    def clean_labels(self, x: NDArray[np.float32]) -> Int64:
        """Give the labels before the noise, which no model beats in expectation; x ``(n, positions, 8)``."""
        return np.argmax(self.scores(x, self.oracle(x)), axis=1).astype(np.int64)


def numerators(x: NDArray[np.float32]) -> Int64:
    """Turn values into integers over `UNIT`; exact, because they are multiples of 1/32."""
    return (x.astype(np.float64) * UNIT).astype(np.int64)


@functools.lru_cache(maxsize=8)  # the offsets of pieces take longer than a thousand inputs
def family(instance: str, seed: int | None) -> Family:
    """Draw an instance's prototypes and rules.

    Prototypes are words of a code, its places permuted and its signs flipped at random: so log2 D
    comparisons, of the right features with 0, tell the domain too, and fewer cannot.
    """
    setting, rng = SETTINGS[instance], stream(REF, instance, seed, "domains")
    words = np.zeros((1, FEATURES), dtype=np.int64)
    for row in HAMMING[: setting.domains.bit_length() - 1]:
        words = np.concatenate([words, words ^ np.array(row)])
    flips = rng.integers(0, 2, size=FEATURES)
    signs = 2 * (words[:, rng.permutation(FEATURES)] ^ flips) - 1
    own = setting.content if setting.pieces == 1 else 1
    shape = (setting.domains, CLASSES, setting.pieces, own, FEATURES)
    weights = stream(REF, instance, seed, "rules").integers(-UNIT, UNIT + 1, size=shape)
    unset = Family(2 * UNIT * signs, weights, np.zeros((setting.domains, CLASSES), dtype=np.int64))
    return unset if setting.pieces == 1 else replace(unset, offsets=mean_scores(unset, instance, seed))


def mean_scores(rules: Family, instance: str, seed: int | None) -> Int64:
    """Estimate what each class scores on average, rounded down; ``(D, classes)``.

    For linear rules it is 0. The larger of two pieces has a mean above 0, which depends on the weights.
    """
    tag = np.repeat(np.arange(len(rules.weights)), DRAWS)
    content = odd(stream(REF, instance, seed, "offsets"), (len(tag), SETTINGS[instance].content, FEATURES))
    x = np.concatenate([rules.prototypes[tag, None], content], axis=1) / UNIT
    return rules.scores(x.astype(np.float32), tag).reshape(-1, DRAWS, CLASSES).sum(axis=1) // DRAWS


def odd(rng: np.random.Generator, shape: tuple[int, ...]) -> Int64:
    """Draw noise and content: odd numerators from -31 to 31, which are symmetric and never 0."""
    return 2 * rng.integers(0, UNIT, size=shape) - (UNIT - 1)


def tags(instance: str, seed: int | None) -> Int64:
    """Draw the domains of all rows: in each split as many of one as of another, in random order."""
    setting, rng = SETTINGS[instance], stream(REF, instance, seed, "tags")
    return np.concatenate([even(rng, n, setting.domains) for n in setting.rows.values()])


def even(rng: np.random.Generator, n: int, domains: int) -> Int64:
    """Draw the domains of n rows."""
    return rng.permutation(np.arange(n) % domains)


def inputs(rules: Family, instance: str, seed: int | None, tag: Int64) -> NDArray[np.float32]:
    """Draw the inputs of all rows, whose domains are given."""
    context, content = (stream(REF, instance, seed, purpose) for purpose in ("context", "content"))
    x = draw_inputs(rules, SETTINGS[instance], context, content, tag)
    # Different values are at least 1/16 apart, so distinct rows are far from one another too.
    distinct = np.unique(x.reshape(len(x), -1), axis=0)
    assert len(distinct) == len(x), "a test row must not appear in train or valid"
    return x


def draw_inputs(
    rules: Family, setting: Setting, context: np.random.Generator, content: np.random.Generator, tag: Int64
) -> NDArray[np.float32]:
    """Draw inputs of given domains, content again and again until the best class leads by the margin."""
    x = np.empty((len(tag), 1 + setting.content, FEATURES), dtype=np.float32)
    x[:, 0] = (rules.prototypes[tag] + odd(context, (len(tag), FEATURES))) / UNIT
    pending = np.arange(len(tag))
    while len(pending):
        x[pending, 1:] = odd(content, (len(pending), setting.content, FEATURES)) / UNIT
        ranked = np.sort(rules.scores(x[pending], tag[pending]), axis=1)
        pending = pending[ranked[:, -1] - ranked[:, -2] < setting.margin]
    return x


def noisy(rng: np.random.Generator, y: Int64) -> Int64:
    """Draw a share of labels anew."""
    drawn = rng.integers(0, CLASSES, size=len(y))
    return np.where(rng.random(len(y)) < NOISE, drawn, y)


def build(spec: InstanceSpec) -> dict[str, Columns]:
    """Make an instance's three files; ids run through train, valid and test."""
    rules, tag = family(spec.name, spec.seed), tags(spec.name, spec.seed)
    x = inputs(rules, spec.name, spec.seed, tag)
    y = noisy(stream(REF, spec.name, spec.seed, "noise"), rules.clean_labels(x))
    files: dict[str, Columns] = {}
    start = 0
    for split, rows in SETTINGS[spec.name].rows.items():
        part = slice(start, start + rows)
        ids = np.arange(start, start + rows, dtype=np.int64)
        files[f"{spec.name}-{split}.parquet"] = {"id": ids, "x": x[part], "y": y[part], "tag": tag[part]}
        start += rows
    return files


def fresh(spec: InstanceSpec, rng: np.random.Generator, n: int) -> Columns:
    """Draw n new inputs of an instance's domains, with as much noise in their labels as the splits have."""
    rules, setting = family(spec.name, spec.seed), SETTINGS[spec.name]
    tag = even(rng, n, setting.domains)
    x = draw_inputs(rules, setting, rng, rng, tag)
    return {"x": x, "y": noisy(rng, rules.clean_labels(x)), "tag": tag}


def label(spec: InstanceSpec, x: NDArray[np.float32]) -> Int64:
    """Give the labels that inputs have before the noise."""
    return family(spec.name, spec.seed).clean_labels(x)
