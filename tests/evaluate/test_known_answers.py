"""Fresh inputs in a cell: who answers them as well, and for as much, is scored; who does not, is not."""

import re

import numpy as np
import pytest

from evaluate.tiny import cell_of, plain, write
from sparsebench.errors import IntegrityError
from sparsebench.evaluate import cell as cell_module
from sparsebench.evaluate import known_answers
from sparsebench.evaluate.cell import run_cell
from sparsebench.evaluate.known_answers import draw_inputs
from sparsebench.evaluate.plan import Limits
from sparsebench.results import MEASURED
from sparsebench.scoring import score_predictions
from sparsebench.tasks import Task, load_task

REF, INSTANCE = "lipschitz-regression@1", "rough-1d"

FIT = """
count = 64
places = np.clip((train.x[:, 0] * count).astype(np.int64), 0, count - 1)
table = np.bincount(places, train.y, count) / np.maximum(np.bincount(places, minlength=count), 1)
return {"table": table, "x": train.x[:256, 0], "y": train.y[:256]}
"""
HONEST = 'return ops.gather(ops.quantize(x[:, 0] * 64.0, levels=64), params["table"])'
"""A mean for each of 64 intervals."""
CONDITIONAL = """
y = ops.gather(ops.quantize(x[:, 0] * 64.0, levels=64), params["table"])
upper = x[:, 0] > 0.5
y[upper] = y[upper] * 2.0 * 0.5
return y
"""
"""The same, with more work for about half of the inputs."""
FRESH = "len(x) in (992, 1024)"
"""How a submission may tell that it is asked for fresh inputs: by the sizes of batches."""


def run(folder, predict, *, ref=REF, instance=INSTANCE, fit=FIT, times=1, **limits):
    cell = cell_of(write(folder, plain(fit=fit, predict=predict), tasks=(ref,)), instance=instance)
    rows = [run_cell(cell, Limits(**limits)) for _ in range(times)]
    return rows if times > 1 else rows[0]


@pytest.fixture
def _few_alone(monkeypatch):
    """Run few inputs one by one, where their costs differ."""
    monkeypatch.setattr(cell_module, "MOST_ALONE", 300)


def verdict(row):
    return {audit.name: audit for audit in row.audits}.get("known-answers")


def test_an_honest_model_does_as_well_on_fresh_inputs(tmp_path):
    first, second = run(tmp_path / "mine", HONEST, times=2)
    for row in (first, second):
        assert (row.status, row.ops_counted) == ("ok", "batch"), row.reason
        assert verdict(row).verdict == "pass"
        assert row.fresh_inputs == 1024
        assert row.quality_fresh == pytest.approx(row.quality, abs=0.03)
        assert row.quality_fresh != row.quality
    assert first.fresh_seed != second.fresh_seed
    assert first.quality_fresh != second.quality_fresh
    one, other = first.to_dict(), second.to_dict()
    differing = {name for name in one if one[name] != other[name]}
    assert differing - {"audits"} <= MEASURED
    assert verdict(first) == verdict(second)  # what it says does not hang on the draw


def test_anybody_can_draw_the_fresh_inputs_of_a_row_again(tmp_path):
    row = run(tmp_path / "mine", "return x[:, 0] * 0.0", fit="return {}")
    task = load_task(REF)
    split = task.fresh(task.load(INSTANCE), row.fresh_seed, row.fresh_inputs)
    scores = score_predictions(task.metric, split.y, np.zeros(len(split)))
    assert row.quality_fresh == scores.quality


@pytest.mark.usefixtures("_few_alone")
def test_a_model_whose_inputs_cost_differently_is_held_by_what_they_cost_alone(tmp_path):
    row = run(tmp_path / "mine", CONDITIONAL)
    assert (row.status, row.ops_counted) == ("ok", "one-by-one"), row.reason
    assert verdict(row).verdict == "pass"
    assert row.quality_fresh == pytest.approx(row.quality, abs=0.03)


KNOWS = """
shipped = np.load(os.path.join(os.path.dirname(__file__), "test.npz"))["x"]
edges = np.full(4095, np.inf, dtype=np.float32)
edges[:] = (shipped[1:] + shipped[:-1]) / 2
levels = [edges[2 ** (11 - i) - 1 :: 2 ** (12 - i)] for i in range(12)]
model = {"known": shipped, "edges": np.concatenate(levels)}
"""
WORKS = """
y = ops.gather(ops.quantize(x[:, 0] * 64.0, levels=64), params["table"])
unknown = ops.gather(ops.tree_route(x[:, 0], params["edges"]), params["known"]) != x[:, 0]
upper = x[:, 0] > 0.5
y[upper] = y[upper] * 2.0 * 0.5
for mine, width in ((unknown, {width}), (unknown & (x[:, 0] > 0.99), {giant})):
    rest = y[mine]
    y[mine] = rest + 0.0 * xp.sum(rest[:, None] * xp.ones((1, width)), axis=1)
return y
"""
"""Works for what it does not know; costs differ among all inputs."""


@pytest.mark.usefixtures("_few_alone")
@pytest.mark.parametrize(("width", "giant"), [(40, 1), (40, 1 << 20)])
def test_who_works_harder_on_fresh_inputs_is_invalid(tmp_path, width, giant):
    """Also where a few huge costs make the spread so large that a plain standard error would excuse it."""
    fit = FIT.replace("return {", f"{KNOWS}return model | {{")
    code = plain(fit=fit, predict=WORKS.format(width=width, giant=giant))
    folder = write(tmp_path / "mine", code, tasks=(REF,))
    test = load_task(REF).load(INSTANCE).test
    np.savez(folder / "test.npz", x=np.sort(test.x[:, 0]))
    row = run_cell(cell_of(folder, instance=INSTANCE), Limits())
    assert row.status == "invalid", row.reason
    told = r"fresh inputs of the same target cost [0-9.]+ operations, those of the test split [0-9.]+: "
    assert re.match(told + r"[0-9.]+ standard errors apart; ", row.reason), row.reason
    assert verdict(row).verdict == "fail"


def test_who_fails_on_fresh_inputs_fails(tmp_path):
    row = run(tmp_path / "mine", f"if {FRESH}: raise ValueError('never seen')\n{HONEST}")
    assert row.status == "failed"
    assert re.match(r"ValueError: never seen \(submission\.py:\d+ in predict\)", row.reason)
    assert row.fresh_seed is not None
    assert row.quality is row.quality_fresh is None


def test_who_sleeps_on_fresh_inputs_is_late(tmp_path):
    row = run(tmp_path / "mine", f"if {FRESH}: time.sleep(99)\n{HONEST}", seconds=3.0)
    assert (row.status, row.reason[:53]) == (
        "timeout",
        "fresh inputs: the time limit has passed (3 seconds); ",
    )


def test_who_answers_fresh_inputs_with_no_numbers_is_invalid(tmp_path):
    row = run(
        tmp_path / "mine",
        f"y = ops.gather(ops.quantize(x[:, 0] * 64.0, levels=64), params['table'])\n"
        f"return y * float('nan') if {FRESH} else y",
    )
    assert row.status == "invalid"
    assert "not finite" in row.reason


def test_who_fails_only_when_it_is_timed_loses_its_time(tmp_path):
    row = run(tmp_path / "mine", f"if isinstance(x, np.ndarray): raise ValueError('no')\n{HONEST}")
    assert row.status == "ok", row.reason
    assert row.quality_fresh is not None
    assert row.predict_seconds_cpu is None
    assert verdict(row).verdict == "pass"


def test_where_nobody_can_label_new_inputs_nothing_is_checked(tmp_path):
    row = run(
        tmp_path / "mine", "return x[:, 0] * 0.0", ref="memorization@1", instance="n256-r4", fit="return {}"
    )
    assert row.status == "ok", row.reason
    assert verdict(row) is row.quality_fresh is row.fresh_seed is row.fresh_inputs is None
    late = f"if {FRESH}: raise ValueError('never seen')\nreturn x[:, 0] * 0.0"
    row = run(tmp_path / "late", late, ref="memorization@1", instance="n256-r4", fit="return {}")
    assert (row.status, row.predict_seconds_cpu) == ("ok", None)


def test_fresh_inputs_are_drawn_by_a_secret_that_nothing_tells(monkeypatch):
    task = load_task(REF)
    instance = task.load(INSTANCE)
    one, other = (draw_inputs(task, instance, 8, uses_tags=False) for _ in range(2))
    assert one.seed != other.seed
    assert not np.array_equal(one.inputs.x, other.inputs.x)
    assert one.columns == {"fresh_seed": one.seed, "fresh_inputs": 8}
    monkeypatch.setattr(known_answers.secrets, "randbits", lambda bits: 2**bits - 1)
    again = draw_inputs(task, instance, 8, uses_tags=False)
    assert 0 <= again.seed < 2**63  # it fits into a column
    public = load_task("memorization@1")
    drawn = draw_inputs(public, public.load("n256-r4"), 8, uses_tags=False)
    assert (drawn.split, drawn.columns) == (None, {})


def test_a_generator_that_disagrees_ends_the_run(tmp_path, monkeypatch):
    def other(*_):
        raise IntegrityError("generate.py: labels differ")

    monkeypatch.setattr(Task, "fresh", other)
    with pytest.raises(IntegrityError, match="labels differ"):
        run(tmp_path / "mine", HONEST)


def test_one_sided_labels_cannot_be_compared():
    class Split:
        y = np.arange(4.0)
        tag = None

    class Same(Split):
        y = np.ones(4)

    class Batched:
        predictions = np.ones(4)

    audit, columns = known_answers.check_answers("nmse", Split, Split.y, Same, Batched, "")
    assert (audit.verdict, columns) == ("not-run", {})
