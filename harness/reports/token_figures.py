"""What is certain about the tokens of routed-classification@2: for the task's README, and its facts.

    python harness/reports/token_figures.py --write

Texts are drawn, and for each the exact probabilities of domains and classes are taken: their largest ones
average to the best accuracies with a smaller error than counts of right answers would. Of one token
everything is summed over all inputs instead, and of four tokens what concerns domains.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import math
import sys
from dataclasses import dataclass, replace

import numpy as np

from sparsebench.leaderboard.publish import write_between_markers
from sparsebench.tasks import load_task
from sparsebench.tasks.importing import imported_generator
from sparsebench.tasks.streams import stream

_TASK = load_task("routed-classification@2", draft=True)
_TEXTS, _BLOCK = 1 << 17, 1 << 12  # how many texts are drawn, and how many at once
_SUMMED = 4  # positions up to which all multisets of words are gone through: 766,480 of 4 words
_RULES = 4  # columns of `outcomes` before those of the rules
_COLUMNS = (
    *("instance", "distribution told", "domain told"),
    *("best class", "class by the likeliest rule", "class by one rule"),
)

with imported_generator(_TASK.folder):
    TOKENS = importlib.import_module("tokens")


@dataclass(frozen=True)
class Figure:
    """A mean, and its standard error; 0 where the mean is exact."""

    mean: float
    error: float = 0.0

    def __str__(self):
        """Write four digits, and the error."""
        return f"{self.mean:.4f}" + (f" ± {self.error:.4f}" if self.error else ", exact")


@dataclass(frozen=True)
class Certificate:
    """What the best model of each kind gets right in expectation."""

    distribution: Figure
    """The best recogniser of the seven distributions."""
    domain: Figure
    """The best recogniser of the eight domains."""
    bayes: Figure
    """The best classifier: the most probable class, rules weighted by the probabilities of their domains."""
    routed: Figure
    """The rule of the most probable distribution."""
    single: Figure
    """The best of the rules, for all inputs."""


def recognised(joint):
    """Return what the best recognisers get right of each input: of distributions, and of domains.

    ``joint`` ``(n, 7)`` has the probability of each distribution given the input, or together with it.
    """
    domains = TOKENS.prior() * TOKENS.DOMAINS  # that have each distribution
    return joint.max(axis=1), (joint / domains).max(axis=1)


def outcomes(language, x):
    """Return what the models get right of each input in expectation, ``(n, 4 + 7)``.

    The recognisers of distributions and domains, the best classifier, the routed one, and each of the rules.
    """
    chance, answers = language.posterior(x), language.answers(x)
    mass = TOKENS.beliefs(chance, answers)
    by_rule = np.take_along_axis(mass, answers, axis=1)
    routed = by_rule[np.arange(len(x)), chance.argmax(axis=1)]
    return np.stack([*recognised(chance), mass.max(axis=1), routed, *by_rule.T], axis=1)


def estimated(name, texts=_TEXTS):
    """Average over drawn texts, in a stream that no data are from."""
    setting, seed = TOKENS.SETTINGS[name], _TASK.instances[name].seed
    language = TOKENS.language(seed, setting.halves)
    rng = stream(TOKENS.REF, TOKENS.FAMILY, seed, f"certificates of {setting.positions}")
    parts = []
    for _ in range(texts // _BLOCK):
        rule = TOKENS.rules_of(TOKENS.even(rng, _BLOCK))
        word = TOKENS.draw_words(language, rng, rule, setting.positions)
        noise = rng.integers(0, 1 << TOKENS.FEATURES, size=word.shape, dtype=np.uint16)
        parts.append(outcomes(language, TOKENS.tokens(language, word, noise)))
    every = np.concatenate(parts)
    means, errors = every.mean(axis=0), every.std(axis=0) / math.sqrt(len(every))
    best = _RULES + means[_RULES:].argmax()
    return Certificate(*(Figure(float(means[i]), float(errors[i])) for i in (*range(_RULES), best)))


def summed(language):
    """Sum over all 64 words and their 2^16 noises: exact for one token."""
    noise = np.arange(1 << TOKENS.FEATURES, dtype=np.uint16)[:, None]
    often = TOKENS.prior() @ language.frequencies / TOKENS.UNIT
    means = sum(
        share * outcomes(language, TOKENS.tokens(language, np.full(noise.shape, word), noise)).mean(axis=0)
        for word, share in enumerate(often)
    )
    return Certificate(*(Figure(float(mean)) for mean in (*means[:_RULES], means[_RULES:].max())))


def recognition(language, positions):
    """Sum over all multisets of words, weighted by their orders: exact recognisers, a `Figure` each."""
    sets = np.array(list(itertools.combinations_with_replacement(range(TOKENS.WORDS), positions)))
    joint = TOKENS.prior() * orders(sets)[:, None]
    for word in sets.T:
        joint *= language.frequencies[:, word].T / TOKENS.UNIT
    distribution, domain = recognised(joint)
    return {"distribution": Figure(float(distribution.sum())), "domain": Figure(float(domain.sum()))}


def orders(sets):
    """Count the orders of each sorted row: n! over the factorials of how often its words occur."""
    count, run = np.full(len(sets), float(math.factorial(sets.shape[1]))), np.ones(len(sets))
    for here, before in zip(sets.T[1:], sets.T[:-1], strict=True):
        run = np.where(here == before, run + 1, 1)
        count /= run
    return count


def certificate(name):
    """Return an instance's figures, exact ones where they can be summed."""
    setting = TOKENS.SETTINGS[name]
    language = TOKENS.language(_TASK.instances[name].seed, setting.halves)
    if setting.positions == 1:
        return summed(language)
    exact = recognition(language, setting.positions) if setting.positions <= _SUMMED else {}
    return replace(estimated(name), **exact)


def markdown():
    """Write the table."""
    lines = [
        "Written by `python harness/reports/token_figures.py --write`: exact sums over all inputs, or means",
        f"over {_TEXTS:,} texts with their standard errors.",
        "",
        f"| {' | '.join(_COLUMNS)} |",
        f"| --- |{' ---: |' * (len(_COLUMNS) - 1)}",
    ]
    for name in TOKENS.SETTINGS:
        found = certificate(name)
        cells = (found.distribution, found.domain, found.bayes, found.routed, found.single)
        lines.append(f"| `{name}` | {' | '.join(map(str, cells))} |")
    return "\n".join(lines) + "\n"


def main():
    """Tell, or write into the README."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help="put it between its markers in the README")
    write, section = parser.parse_args().write, markdown()
    sys.stdout.write(section)
    if write:
        write_between_markers(_TASK.folder.parent / "README.md", {"tokens": section})


if __name__ == "__main__":
    main()
