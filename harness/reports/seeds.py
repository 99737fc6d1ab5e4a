"""How often intervals of scores hold what they should: many sets of seeds, drawn about measured ones.

    python harness/reports/seeds.py --write docs/statistics.md
    python harness/reports/seeds.py --freeze leaderboard/results

The entries drawn about are shipped submissions. Their costs and qualities, by instance, variant and seed, are
frozen in ``seeds.json``, so that the figures do not move with the board; ``--freeze`` makes it anew.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sparsebench.leaderboard.publish import write_between_markers
from sparsebench.scoring import (
    MOST_VARIANTS,
    SMALLEST_LEAD,
    Estimate,
    estimate_bounds,
    mean_estimate,
    t_quantile,
    welch_test,
)

FROZEN = Path(__file__).with_name("seeds.json")
ENTRIES = (
    ("conditional-tree", "memorization@1"),
    ("dense-features", "lipschitz-regression@1"),
    ("lsh-constant", "lipschitz-regression@1"),
    ("lsh-affine", "lipschitz-regression@1"),
    ("dsm-topk", "lipschitz-regression@1"),
    ("dense-mlp", "routed-classification@1"),
    ("oracle-router", "routed-classification@1"),
)
GENERALIST = ("conditional-tree", "dense-features", "dense-mlp")
"""One entry of each task: their scores together are those of an entry that enters every task."""
RESIDUALS = ("Gaussian", "heavy-tailed", "resampled")
SEEDS = (5, 10)
SETS = 4_000
_LEVEL = 0.95
_DRAWS_OF_THE_TRUTH = 50_000  # its error is a hundredth of the standard error of a score
_CHUNK = 500  # sets at a time: what is held is (sets, variants, seeds, costs)


@dataclass(frozen=True)
class Entry:
    """An entry as it was measured on a task."""

    name: str
    task: str
    box: tuple[float, float]
    """Log2 of operations per input: the cheap and the expensive edge."""
    cost: np.ndarray
    """Operations per input, (i, v, seeds measured)."""
    quality: np.ndarray
    """In [0, 1], (i, v, seeds measured)."""

    @property
    def residuals(self):
        """Return the residuals of cells whose quality depends on the seed, in units of their spread."""
        seeds = self.quality.shape[-1]
        mean, spread = self.quality.mean(-1, keepdims=True), self.spread[..., None]
        moves = self.spread > 0.0
        scaled = (self.quality - mean)[moves] / spread[moves] * math.sqrt(seeds / (seeds - 1))
        return scaled.ravel() - scaled.mean()

    @property
    def spread(self):
        """Standard deviation of the quality over seeds, (i, v)."""
        spread = self.quality.std(-1, ddof=1)
        return np.where(spread > 1e-12, spread, 0.0)

    def cloned(self):
        """Return the entry with as many variants as there may be: its own, again and again."""
        pick = np.arange(MOST_VARIANTS) % self.cost.shape[1]
        return Entry(self.name, self.task, self.box, self.cost[:, pick], self.quality[:, pick])


@dataclass(frozen=True)
class Failures:
    """How often cells fail, by themselves or all of a seed together."""

    cells: float = 0.0
    seeds: float = 0.0

    @property
    def kept(self):
        """Return the part of cells that does not fail."""
        return (1.0 - self.cells) * (1.0 - self.seeds)


NONE = Failures()


@dataclass(frozen=True)
class Scores:
    """Scores of many sets of seeds: theta (n,), and pseudo-values (n, m)."""

    plain: np.ndarray
    values: np.ndarray

    @property
    def score(self):
        """What is printed, (n,)."""
        return self.values.mean(1)

    @property
    def t(self):
        """Return the quantile of the t distribution that makes a half-width of a standard error."""
        return t_quantile(0.5 + _LEVEL / 2, self.values.shape[1] - 1)

    @property
    def bare_variance(self):
        """Squared standard errors without luck, (n,)."""
        return self.values.var(1, ddof=1) / self.values.shape[1]

    @property
    def variance(self):
        """Return the squared standard errors, (n,)."""
        return self.bare_variance + np.square((self.plain - self.score) / self.t)

    @property
    def half(self):
        """Half-widths of the intervals, (n,)."""
        return self.t * np.sqrt(self.variance)

    def holding(self, truth, *, bare=False):
        """Return the share of intervals that hold the truth; bare: of intervals that luck does not widen."""
        half = self.t * np.sqrt(self.bare_variance) if bare else self.half
        return float(np.mean(np.abs(self.score - truth) <= half + 1e-12))

    def estimates(self, *, bare=False):
        """Return what tests take; bare: without luck in the standard errors."""
        df = self.values.shape[1] - 1.0
        variance = self.bare_variance if bare else self.variance
        rows = zip(self.score.tolist(), variance.tolist(), strict=True)
        return [Estimate(score, variance, df if variance else math.inf) for score, variance in rows]


def load_entries():
    """Read the frozen entries: name -> Entry."""
    stored = json.loads(FROZEN.read_text(encoding="utf-8"))
    return {
        one["name"]: Entry(
            one["name"], one["task"], tuple(one["box"]), np.array(one["cost"]), np.array(one["quality"])
        )
        for one in stored
    }


def draw_qualities(entry, i, kind, shape, rng):
    """Draw qualities of an instance, (n, v, m): about the measured mean, with the measured spread."""
    if kind == "Gaussian":
        noise = rng.standard_normal(shape)
    elif kind == "heavy-tailed":
        noise = rng.standard_t(3, shape) / math.sqrt(3)  # of variance 1
    else:
        noise = rng.choice(entry.residuals, shape)
    mean, spread = entry.quality[i].mean(-1), entry.spread[i]
    return np.clip(mean[None, :, None] + spread[None, :, None] * noise, 0.0, 1.0)


def steps(entry, i):
    """Return the costs of an instance at which Q may change, and the box's share from each to the next."""
    low, high = entry.box
    logs = np.log2(np.maximum(1.0, entry.cost[i]))
    at = np.unique(logs)
    widths = np.diff(np.clip(np.append(at, high), low, high)) / (high - low)
    return logs[:, :, None] <= at, widths  # (v, seeds measured, k), (k,)


def true_score(entry, kind, rng, failures=NONE):
    """Return the score with seeds without end: the area under the best of the expected curves."""
    areas = []
    for i in range(len(entry.cost)):
        shape = (_DRAWS_OF_THE_TRUTH, entry.cost.shape[1], 1)
        expected = draw_qualities(entry, i, kind, shape, rng).mean((0, 2))
        within, widths = steps(entry, i)
        areas.append((expected[:, None] * within.mean(1)).max(0) @ widths)
    return failures.kept * float(np.mean(areas))


def draw_sets(entry, kind, seeds, count, rng, failures=NONE):
    """Draw cells of sets of seeds: per instance (which measured cost, quality), each (n, v, m)."""
    shape = (count, entry.cost.shape[1], seeds)
    gone = rng.random((count, 1, seeds)) < failures.seeds
    drawn = []
    for i in range(len(entry.cost)):
        quality = draw_qualities(entry, i, kind, shape, rng)
        failed = gone | (rng.random(shape) < failures.cells)
        drawn.append((rng.integers(0, entry.cost.shape[2], shape), np.where(failed, 0.0, quality)))
    return drawn


def score_sets(entry, drawn):
    """Score sets of seeds, all at once; a test holds it against `score_task`."""
    plain, values = 0.0, 0.0
    for i, (which, quality) in enumerate(drawn):
        within, widths = steps(entry, i)
        bought = within[np.arange(len(within))[None, :, None], which] * quality[..., None]  # (n, v, m, k)
        seeds = quality.shape[2]
        total = bought.sum(2)
        theta = (total.max(1) / seeds) @ widths
        parts = [(total - bought[:, :, s]).max(1) @ widths for s in range(seeds)]  # (m - 1) theta_(-s)
        plain, values = plain + theta, values + (seeds * theta[:, None] - np.stack(parts, 1))
    return Scores(plain / len(drawn), values / len(drawn))


def simulate(entry, kind, seeds, rng, failures=NONE, sets=SETS):
    """Draw and score sets of seeds, some at a time."""
    parts = [
        score_sets(entry, draw_sets(entry, kind, seeds, min(_CHUNK, sets - done), rng, failures))
        for done in range(0, sets, _CHUNK)
    ]
    return Scores(np.concatenate([p.plain for p in parts]), np.concatenate([p.values for p in parts]))


@dataclass(frozen=True)
class Line:
    """What was found for an entry and a number of seeds."""

    name: str
    variants: int
    seeds: int
    holding: tuple[float, ...]
    """Shares of intervals that hold the true score, by kind of residuals."""
    bare: tuple[float, ...]
    """The same of intervals that luck does not widen."""
    luck: float
    """What was taken out as luck, in half-widths of the interval: the mean of one over that of the other."""
    error: float
    """Standard deviation of the score over sets of seeds."""
    plain_bias: float
    """Mean of the plain score less the true one."""
    bias: float
    """Mean of the score less the true one."""


def lines_of(entry, rng, failures=NONE):
    """Simulate an entry; give a line for each number of seeds. Biases are those of resampled residuals."""
    truths = {kind: true_score(entry, kind, rng, failures) for kind in RESIDUALS}
    for seeds in SEEDS:
        found = {kind: simulate(entry, kind, seeds, rng, failures) for kind in RESIDUALS}
        last, truth = found[RESIDUALS[-1]], truths[RESIDUALS[-1]]
        yield Line(
            entry.name,
            entry.cost.shape[1],
            seeds,
            tuple(found[kind].holding(truths[kind]) for kind in RESIDUALS),
            tuple(found[kind].holding(truths[kind], bare=True) for kind in RESIDUALS),
            float((last.plain - last.score).mean() / last.half.mean()),
            float(last.score.std()),
            float(last.plain.mean() - truth),
            float(last.score.mean() - truth),
        )


def generalist_lines(entries, rng):
    """Simulate an entry of all tasks: (seeds, shares by kind of residuals) of intervals of the mean score."""
    chosen = [entries[name] for name in GENERALIST]
    truths = {kind: np.mean([true_score(one, kind, rng) for one in chosen]) for kind in RESIDUALS}
    for seeds in SEEDS:
        shares = []
        for kind in RESIDUALS:
            tasks = zip(*(simulate(one, kind, seeds, rng).estimates() for one in chosen), strict=True)
            bounds = [estimate_bounds(mean_estimate(task)) for task in tasks]
            shares.append(float(np.mean([low <= truths[kind] <= high for low, high in bounds])))
        yield seeds, tuple(shares)


def clone_gains(entry, rng):
    """Yield what an entry gains by having its variants again, up to 16.

    Gives (seeds, gain of plain, gain of score, share of intervals that then hold the true score).
    """
    own, most = entry.cost.shape[1], entry.cloned()
    truth = true_score(entry, RESIDUALS[-1], rng)
    for seeds in SEEDS:
        drawn = draw_sets(most, RESIDUALS[-1], seeds, _CHUNK, rng)
        before = score_sets(entry, [(which[:, :own], quality[:, :own]) for which, quality in drawn])
        after = score_sets(most, drawn)
        gains = float((after.plain - before.plain).mean()), float((after.score - before.score).mean())
        yield seeds, *gains, after.holding(truth)


def equal_entries(entry, rng):
    """Compare pairs of equal entries.

    Gives (seeds, share with p < 5 %, share that lead by enough as well, share with p < 5 % without luck).
    """
    for seeds in SEEDS:
        drawn = simulate(entry, RESIDUALS[-1], seeds, rng)
        apart, leads = told_apart(drawn.estimates())
        bare, _ = told_apart(drawn.estimates(bare=True))
        yield seeds, float(np.mean(apart)), float(np.mean(apart & leads)), float(np.mean(bare))


def told_apart(drawn):
    """Return of each pair of neighbours whether p < 5 %, and whether one leads by enough."""
    pairs = list(zip(drawn[::2], drawn[1::2], strict=True))
    p_values = [welch_test(a, b) for a, b in pairs]
    apart = [p is not None and p < 1 - _LEVEL for p in p_values]
    return np.array(apart), np.array([abs(a.score - b.score) >= SMALLEST_LEAD for a, b in pairs])


@dataclass(frozen=True)
class Study:
    """All that the page tells."""

    lines: list[Line]
    generalist: list[tuple[int, tuple[float, ...]]]
    failing: list[tuple[str, Line]]
    clones: list[tuple[str, int, float, float, float]]
    equal: list[tuple[str, int, float, float, float]]


def study(entries):
    """Simulate everything, each part with random numbers of its own."""
    streams = iter(np.random.SeedSequence(20_811).spawn(5))
    first, second, third, fourth, fifth = (np.random.default_rng(stream) for stream in streams)
    noisy = entries["dense-features"]
    failures = {
        "one cell in 100 fails": Failures(cells=0.01),
        "one seed in 50 fails everywhere": Failures(seeds=0.02),
    }
    return Study(
        [line for entry in entries.values() for line in lines_of(entry, first)],
        list(generalist_lines(entries, second)),
        [(name, line) for name, kind in failures.items() for line in lines_of(noisy, third, kind)],
        [(entry.name, *gain) for entry in entries.values() for gain in clone_gains(entry, fourth)],
        [(entry.name, *found) for entry in entries.values() for found in equal_entries(entry, fifth)],
    )


def percent(share):
    """Write a share."""
    return f"{100 * share:.1f}"


def thousandths(score):
    """Write a small score, without the sign of a zero."""
    return f"{1000 * score:z.2f}"


def paragraph(text):
    """Write a paragraph, with an empty line after it."""
    yield from (*textwrap.wrap(" ".join(text.split()), 110, break_on_hyphens=False), "")


def table(head, rows):
    """Write a table of Markdown; the first column is a name."""
    marks = ["---", *("---:" for _ in head[1:])]
    return [f"| {' | '.join(map(str, row))} |" for row in (head, marks, *rows)]


def report(found):
    """Write the part of the page."""
    parts = (intervals_part, failures_part, bias_part, equal_part)
    head = [
        "## In simulation",
        "",
        "<!-- Written by `python harness/reports/seeds.py --write docs/statistics.md`. Do not edit. -->",
        "",
    ]
    return "\n".join([*head, *(line for part in parts for line in (*part(found), ""))])


def intervals_part(found):
    """Write how often intervals hold the true score."""
    own = 100 * math.sqrt(_LEVEL * (1 - _LEVEL) / SETS)
    yield from paragraph(
        f"""
        Of {SETS:,} sets of seeds, the share of 95 % intervals that hold the true score, in per
        cent. A share of 95 is known to {own:.1f} (a standard error). Seeds are drawn about shipped
        submissions: costs, means and spreads by (instance, variant) are those measured over five
        seeds; residuals are Gaussian, of a t distribution with three degrees of freedom, or drawn
        from the entry's own. The true score is that of seeds without end. *Luck* is what the
        jackknife took out, plain score less score, in half-widths of the interval. *Without luck*
        is what intervals hold that it does not widen, of resampled residuals.
        """
    )
    own_lines = [
        (
            f"`{line.name}`",
            line.variants,
            line.seeds,
            *map(percent, line.holding),
            f"{line.luck:z.2f}",
            percent(line.bare[-1]),
        )
        for line in found.lines
    ]
    over_tasks = [
        ("over three tasks", "", seeds, *map(percent, shares), "", "") for seeds, shares in found.generalist
    ]
    yield from table(
        ("entry", "variants", "seeds", *RESIDUALS, "luck", "without luck"), [*own_lines, *over_tasks]
    )
    yield ""
    yield f"Over three tasks: the mean of `{'`, `'.join(GENERALIST)}`, each on its own task."


def failures_part(found):
    """Write what rare failures do to intervals."""
    yield "### Rare failures"
    yield ""
    yield from paragraph(
        """
        The same of `dense-features` where cells fail now and then. What has failed in none of the
        seeds drawn is in no interval.
        """
    )
    yield from table(
        ("failures", "seeds", *RESIDUALS),
        [(name, line.seeds, *map(percent, line.holding)) for name, line in found.failing],
    )


def bias_part(found):
    """Write how far scores are off on average, and what clones bring."""
    yield "### Bias, and clones"
    yield ""
    yield from paragraph(
        """
        Of resampled residuals, in thousandths of a score: the standard deviation of the score; how
        far the plain score and the score are above the true one on average; and what both gain on
        average where the entry has 16 variants, its own again and again with random numbers of
        their own. The last column is the share of intervals that hold the true score even so, in
        per cent.
        """
    )
    yield from table(
        (
            "entry",
            "seeds",
            "deviation",
            "plain, bias",
            "score, bias",
            "plain, clones",
            "score, clones",
            "held",
        ),
        [
            (
                f"`{line.name}`",
                line.seeds,
                *map(thousandths, (line.error, line.plain_bias, line.bias, *gains)),
                percent(held),
            )
            for line, (_, _, *gains, held) in zip(found.lines, found.clones, strict=True)
        ],
    )


def equal_part(found):
    """Write how often two equal entries are told apart."""
    yield "### Two entries that are equal"
    yield ""
    yield from paragraph(
        f"""
        Of {SETS // 2:,} pairs of sets of seeds of one entry, in per cent: how many Welch's test
        calls different at 5 %; how many of these differ by {SMALLEST_LEAD} or more as well; and how
        many it would call different if luck were no part of standard errors. Before Holm's
        correction, of resampled residuals.
        """
    )
    yield from table(
        ("entry", "seeds", "p < .05", "and a lead", "p < .05, without luck"),
        [(f"`{name}`", seeds, *map(percent, shares)) for name, seeds, *shares in found.equal],
    )


def freeze(folder):
    """Store costs and qualities of the entries' rows; a folder of rows must have all of their cells."""
    from sparsebench.results.store import ResultStore
    from sparsebench.tasks import load_task

    rows = [row for row in ResultStore(folder).rows() if row.status == "ok"]
    stored = []
    for name, task in ENTRIES:
        cells = {(r.instance, r.variant, r.seed): r for r in rows if (r.submission, r.task) == (name, task)}
        instances, variants, seeds = (sorted({cell[k] for cell in cells}) for k in range(3))
        box = load_task(task).box
        grid = [[[cells[i, v, s] for s in seeds] for v in variants] for i in instances]
        of = {
            column: [[[float(f"{getattr(row, column):.5g}") for row in v] for v in i] for i in grid]
            for column in ("ops", "quality")
        }
        edges = [box.log2_ops_low, box.log2_ops_high]
        stored.append({"name": name, "task": task, "box": edges, "cost": of["ops"], "quality": of["quality"]})
    FROZEN.write_text(json.dumps(stored).replace("}, {", "},\n{") + "\n", encoding="utf-8")


def main():
    """Simulate, and print or write; or store what is drawn about."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", type=Path, help="page to write the part into")
    parser.add_argument("--freeze", type=Path, help="folder of rows to draw about from now on")
    options = parser.parse_args()
    if options.freeze:
        freeze(options.freeze)
        return
    text = report(study(load_entries()))
    if options.write:
        write_between_markers(options.write, {"seeds": text})
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
