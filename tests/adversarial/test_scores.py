"""Attacks on the score: each is really evaluated, and its board says that it gained nothing."""

from __future__ import annotations

import math
import re
import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adversarial.test_attacks import ATTACKS, MEMORY
from sparsebench.author.inprocess import fit_here, guest
from sparsebench.evaluate.cell import run_cell
from sparsebench.evaluate.plan import Limits, Selection, make_plan
from sparsebench.leaderboard import build_board
from sparsebench.meter import COST_MODEL
from sparsebench.models import find_submission
from sparsebench.results import Audit, Row
from sparsebench.scoring import MOST_BYTES, MOST_VARIANTS, SCORING_VERSION, score_predictions
from sparsebench.tasks import load_task
from submissions.shipped import columns, metered

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sparsebench.evaluate.plan import Cell
    from sparsebench.leaderboard.board import Board, TaskScore

TASK = load_task("memorization@1")
SMALL, LARGE = "n256-r4", "n4096-r4"
SEEDS = range(5)
PASSED = tuple(
    Audit(name, "pass", "")
    for name in ("alone-as-in-batches", "order-invariance", "cost-in-batches", "counting-bound")
)


def cells_of(folder: Path, instances: Iterable[str], seeds: Iterable[int], *variants: str) -> list[Cell]:
    selection = Selection(instances=tuple(instances), seeds=tuple(seeds), variants=variants)
    return make_plan([find_submission(str(folder))], selection)


def evaluated(folder: Path, instances: Iterable[str], seeds: Iterable[int], *variants: str) -> list[Row]:
    limits = Limits(seconds=60.0, memory=MEMORY)
    return [run_cell(cell, limits) for cell in cells_of(folder, instances, seeds, *variants)]


@cache
def attack(name: str, *instances: str, seeds: int = 2) -> list[Row]:
    """Evaluate all variants of an attack."""
    return evaluated(ATTACKS / name, instances, range(seeds))


def row_of(cell: Cell, quality: float | None, ops: float, **changes: Any) -> Row:
    """Write down what a cell gave that was no more than metered; without quality, it failed."""
    names = (
        "task",
        "task_hash",
        "instance",
        "instance_hash",
        "submission",
        "submission_hash",
        "variant",
        "seed",
    )
    given: dict[str, Any] = {name: getattr(cell, name) for name in names}
    if quality is None:
        given |= {"status": "failed", "reason": "gives up"}
    else:
        given |= {
            "audits": PASSED,
            "status": "ok",
            "error": 1 - quality,
            "quality": quality,
            "ops": ops,
            "memory_bytes": 1,
        }
    moment = "2026-01-02T03:04:05.000000Z"
    given |= {
        "started": moment,
        "ended": moment,
        "sandbox": "none",
        "packages": "{}",
        "python": "3",
        "cpu": "a",
    }
    given |= {"scoring_version": SCORING_VERSION, "cost_model": COST_MODEL}
    return Row(harness_version="0", **given | changes)


def metered_here(cell: Cell) -> Row:
    """Fit a cell in this process, as a run does, and meter its test split."""
    data = TASK.load(cell.instance)
    with guest(cell):
        submission, params = fit_here(cell, TASK, data)
        done = metered(submission, params, data.test.x)
    scores = score_predictions("recall", data.test.y, done.answers)
    return row_of(cell, scores.quality, columns(done)["ops"] / len(data.test))


def board(rows: Iterable[Row], **options: Any) -> Board:
    return build_board(rows, [TASK], **options)


def score(rows: Iterable[Row], **options: Any) -> TaskScore:
    """Give what the board says of the only submission of some rows."""
    (entry,) = board(rows, **options).entries
    (found,) = entry.tasks
    assert found is not None
    return found


def figures(rows: Iterable[Row], **options: Any) -> tuple[Any, ...]:
    """Give all that ranks an entry, and all that it is compared by."""
    found = score(rows, **options)
    return found.score, found.plain, found.low, found.high, found.exact, found.areas, found.values


def only(rows: Iterable[Row], *variants: str) -> list[Row]:
    return [row for row in rows if row.variant in variants]


def test_who_gives_up_chosen_instances_and_seeds_gains_exactly_nothing() -> None:
    rows = attack("mixer", SMALL, LARGE)
    costs = {(row.instance, row.ops) for row in rows if row.variant == "one"}
    assert costs == {(SMALL, 31.0), (SMALL, 0.0), (LARGE, 0.0)}
    assert figures(rows) == figures(only(rows, "all"))
    for variant in ("three", "two", "one"):
        assert score(only(rows, variant)).score < score(rows).score
    shipped = find_submission("conditional-tree").path
    honest = evaluated(shipped, (SMALL, LARGE), range(2), "full")
    assert figures(rows) == figures(honest)


def test_who_draws_lots_whether_to_give_up_gains_exactly_nothing() -> None:
    rows = attack("quits-by-rng", SMALL, seeds=3)
    assert {row.status for row in rows} == {"ok", "failed"}
    assert {row.ops for row in rows} == {31.0, 0.0, None}
    assert figures(rows) == figures(only(rows, "honest"))
    quitters = [row for row in rows if row.variant != "honest"]
    # Without the honest variant as well: what is printed is not above the plain score of one that stays.
    assert score(quitters).score <= score(quitters).plain <= score(rows).plain
    assert score(only(rows, "answers-2", "fails-2")).score < score(rows).score


def test_a_model_that_is_sixteen_equal_variants_scores_as_one(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(ATTACKS / "clones", tmp_path / "clones"))
    manifest = folder / "submission.toml"
    manifest.write_text(manifest.read_text().replace("noisy = true", "noisy = false"))
    rows = [metered_here(cell) for cell in cells_of(folder, (SMALL,), SEEDS)]
    assert len({row.variant for row in rows}) == MOST_VARIANTS
    assert figures(rows) == figures(only(rows, "clone-1"))
    assert score(rows).exact


def noisy_clones() -> list[Row]:
    return [metered_here(cell) for cell in cells_of(ATTACKS / "clones", (SMALL,), SEEDS)]


def test_sixteen_clones_with_luck_of_their_own_gain_less_than_a_lead() -> None:
    rows = noisy_clones()
    alone = [score(only(rows, variant)) for variant in sorted({row.variant for row in rows})]
    mean = math.fsum(each.score for each in alone) / len(alone)
    together = score(rows)
    assert np.std([each.score for each in alone]) > 0.001
    assert 0.0 < together.score - mean <= 0.005
    assert together.score < together.plain == max(each.plain for each in alone)


def test_luck_that_was_chosen_beforehand_is_not_seen() -> None:
    """See "what does not hold yet" in docs/trust.md: a variant's name decides what it draws."""
    named = [
        score([metered_here(replace(CELL, variant=f"name-{k}", seed=seed)) for seed in SEEDS])
        for k in range(70)
    ]
    mean, best = np.mean([each.score for each in named]), max(named, key=lambda each: each.score)
    assert best.score - mean > 0.005
    assert best.low is not None
    assert best.low > mean
    assert best.plain == pytest.approx(best.score, abs=1e-12)  # nothing is taken out


def test_what_is_metered_here_is_what_a_run_says() -> None:
    (cell,) = cells_of(ATTACKS / "clones", (SMALL,), (0,), "clone-1")
    run, here = run_cell(cell, Limits(seconds=60.0, memory=MEMORY)), metered_here(cell)
    assert (run.ops, run.quality) == (here.ops, here.quality)


def test_seventeen_variants_are_on_no_board() -> None:
    (cell,) = cells_of(ATTACKS / "clones", (SMALL,), (0,), "clone-1")
    rows = [row_of(replace(cell, variant=f"v{k}"), 0.5, 4.0) for k in range(MOST_VARIANTS + 1)]
    assert len(score(rows[1:]).points) == MOST_VARIANTS
    left_out = "clones: rows of 17 variants, expected at most 16: it is left out"
    assert (board(rows).entries, left_out in board(rows).notes) == ((), True)
    # Nor where a part of them has failed, or is of seeds or instances that do not count.
    apart = [*rows[1:], row_of(replace(cell, variant="v0", seed=7, instance=LARGE), None, 0.0)]
    assert (board(apart).entries, left_out in board(apart).notes) == ((), True)


def test_seeds_that_somebody_has_chosen_do_not_count() -> None:
    cells = cells_of(ATTACKS / "clones", (SMALL,), range(20), "clone-1")
    rows = [metered_here(cell) for cell in cells]
    best = sorted(rows, key=lambda row: row.quality or 0.0)[-5:]
    honest, chosen = score(rows[:5]), score(best)
    counted = [row for row in best if row.seed in SEEDS]
    assert len(counted) < len(best)
    assert chosen.plain == pytest.approx(len(counted) / 5 * (score(_anew(counted)).plain if counted else 0.0))
    assert chosen.score < honest.score
    assert any("rows of other seeds than 0 to 4 are not counted" in note for note in board(best).notes)


def _anew(rows: Sequence[Row]) -> list[Row]:
    """Number the seeds of rows from 0."""
    numbers = {seed: k for k, seed in enumerate(sorted({row.seed for row in rows}))}
    return [replace(row, seed=numbers[row.seed], cell_key="") for row in rows]


def test_who_adapts_to_the_instance_gains_nothing_over_variants_that_do_not() -> None:
    rows = attack("sniffs-the-instance", SMALL, LARGE)
    fixed = only(rows, "fixed-1", "fixed-4")
    assert figures(rows) == figures(fixed)
    assert score(only(rows, "adapts")).score < score(fixed).score


def test_a_seed_that_fails_costs_its_share() -> None:
    rows = attack("fails-with-one-seed", SMALL, seeds=5)
    honest, failing = score(only(rows, "honest")), score(only(rows, "fails"))
    assert honest.exact
    assert failing.score == pytest.approx(honest.score * 4 / 5, abs=1e-15)
    assert failing.values == pytest.approx([honest.score, 0.0, *[honest.score] * 3], abs=1e-12)
    assert not failing.exact
    # As if its row were not there.
    gone = [row for row in only(rows, "fails") if row.status == "ok"]
    assert figures(gone) == figures(only(rows, "fails"))


@pytest.mark.parametrize("where", ["arrays", "constants", "names", "shapes", "files"])
def test_what_stores_too_much_is_shown_and_scores_nothing(where: str, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(ATTACKS / "stores-too-much", tmp_path / "stores-too-much"))
    if where == "files":
        (folder / "table.bin").write_bytes(bytes(MOST_BYTES + (64 << 10)))
    rows = evaluated(folder, (SMALL,), (0,), where)
    ((row,), found) = rows, score(rows)
    assert (row.status, row.ops, row.quality) == ("ok", 31.0, 1.0), row.reason
    assert row.memory_bytes is not None
    assert MOST_BYTES < row.memory_bytes < MOST_BYTES + (1 << 20)
    assert found.score == found.plain == 0.0
    (point,) = found.points
    assert (point.ops, point.quality_mean, point.memory_bytes, point.n_large) == (
        31.0,
        1.0,
        row.memory_bytes,
        1,
    )
    (note,) = [note for note in board(rows).notes if "MiB" in note]
    assert re.match(f"stores-too-much/{where}: .*1 cells store more than 16 MiB", note)


# For any cells ------------------------------------------------------------------------------------------

qualities = st.one_of(
    st.none(), st.integers(0, 4).map(lambda k: k / 4), st.floats(0, 1, allow_subnormal=False)
)
outcomes = st.tuples(qualities, st.integers(0, 12).map(lambda k: 2.0**k))


(CELL,) = cells_of(ATTACKS / "clones", (SMALL,), (0,), "clone-1")


@st.composite
def drawn(draw: Any, most: int = 3, seeds: int = 5) -> list[Row]:
    """Draw a submission's rows: variants on one or two instances, with more seeds than count."""
    return [
        row_of(replace(CELL, variant=f"v{v}", instance=instance, seed=seed), *draw(outcomes))
        for instance in (SMALL, LARGE)[: draw(st.integers(1, 2))]
        for v in range(draw(st.integers(1, most)) if instance == SMALL else 1)
        for seed in range(seeds)
    ]


def others(rows: Sequence[Row]) -> list[Row]:
    """Give the rows of somebody else who has all cells, so that the board has all its seeds."""
    return [replace(row, submission="zz", variant="w", cell_key="") for row in rows if row.variant == "v0"]


def beside(rows: Sequence[Row], all_rows: Sequence[Row]) -> tuple[float, float]:
    """Give score and plain score of rows on the board that all of them make."""
    found = board([*rows, *others(all_rows)], seeds=3).entries
    scores = [entry.tasks[0] for entry in found if entry.submission == "clones"]
    return (scores[0].score, scores[0].plain) if scores and scores[0] else (0.0, 0.0)


@given(st.data(), drawn())
def test_choosing_seeds_raises_no_plain_score(data: Any, rows: list[Row]) -> None:
    """And nothing that is printed is above the plain score of whoever shows all."""
    seeds = data.draw(st.sets(st.integers(0, 4)))
    honest, chosen = beside(rows, rows), beside([row for row in rows if row.seed in seeds], rows)
    assert chosen[1] <= honest[1] + 1e-12
    assert chosen[0] <= honest[1] + 1e-12


def test_choosing_seeds_may_take_doubt_away_and_no_more() -> None:
    """Where seeds do not agree which variant is good, luck is taken out. Who hides a seed has less to doubt.

    So what is printed may rise: never above the plain score of whoever shows all.
    """
    qualities = {("v0", 0): 1.0, ("v1", 1): 0.9, ("v1", 2): 0.9}
    rows = [
        row_of(replace(CELL, variant=v, seed=s), qualities.get((v, s), 0.0), 1.0)
        for v in ("v0", "v1")
        for s in range(3)
    ]
    honest, chosen = beside(rows, rows), beside([row for row in rows if row.seed != 0], rows)
    assert honest == pytest.approx((8 / 15, 0.6), abs=1e-12)
    assert chosen == pytest.approx((0.6, 0.6), abs=1e-12)


@given(st.data(), drawn(most=1))
def test_with_one_variant_choosing_cells_raises_no_score(data: Any, rows: list[Row]) -> None:
    chosen = [row for row in rows if data.draw(st.booleans())]
    assert beside(chosen, rows)[0] <= beside(rows, rows)[0] + 1e-12


@given(st.data(), drawn())
def test_choosing_cells_raises_no_plain_score(data: Any, rows: list[Row]) -> None:
    chosen = [row for row in rows if data.draw(st.booleans())]
    assert max(beside(chosen, rows)) <= beside(rows, rows)[1] + 1e-12


@given(st.data(), drawn())
def test_a_variant_that_gives_up_cells_of_another_changes_no_digit(data: Any, rows: list[Row]) -> None:
    less = [replace(row, variant="x", cell_key="") for row in only(rows, "v0") if data.draw(st.booleans())]
    assert figures([*rows, *less], seeds=3) == figures(rows, seeds=3)
