"""What an input costs does not depend on the inputs beside it, and what does is found out."""

from collections import Counter

import numpy as np
import pytest

from evaluate.tiny import cell_of, plain, routed, run, write
from sparsebench.errors import InvalidResultError
from sparsebench.evaluate import cell as cell_module
from sparsebench.evaluate import executor
from sparsebench.evaluate.audits import audits
from sparsebench.evaluate.cell import run_cell
from sparsebench.evaluate.passes.counts import count_columns
from sparsebench.evaluate.passes.metering import Pass, Single
from sparsebench.evaluate.passes.sample import SAMPLE, sample_inputs
from sparsebench.evaluate.plan import Limits
from sparsebench.meter import PROFILES, Ledger
from sparsebench.results import MEASURED, ResultStore
from sparsebench.tasks import load_task

BITS = "bits = xp.astype(x[:, :1] > 0, xp.int64)\n"


def test_work_that_is_shared_across_rows_is_charged_to_every_row(tmp_path):
    row = run(tmp_path / "mine", plain(predict='t = xp.sum(params["w"] * params["w"])\nreturn x[:, 0] + t'))
    assert (row.ops, row.ops_single, row.ops_counted) == (8, 8, "one-by-one")  # 4 products, 3 sums, 1 more
    assert row.ops_batch < 2
    assert row.counted_inputs == row.sample_size == 256


def test_a_loop_that_waits_for_the_slowest_row_is_charged_row_by_row(tmp_path):
    predict = """
    y = x[:, 0] * 1.0
    while xp.any(y > 0.25):
        y = xp.where(y > 0.25, y * 0.5, y)
    return y
    """
    folder = write(tmp_path / "mine", plain(predict=predict))
    rows = [executor.run_cell(cell_of(folder, instance="n4096-r4"), Limits()) for _ in range(2)]
    assert {(row.status, row.ops_counted) for row in rows} == {("ok", "one-by-one")}
    assert rows[0].ops == rows[0].ops_single < rows[0].ops_batch
    assert rows[0].ops_p50 < rows[0].ops_max
    same = {name for name in rows[0].to_dict() if name not in MEASURED}
    assert {name: getattr(rows[0], name) for name in same} == {name: getattr(rows[1], name) for name in same}


def test_rows_at_hand_that_are_picked_by_a_mask_are_charged_alone(tmp_path):
    predict = "y = x[:, 0] + 0.0\nmine = y[x[:, 1] > 0.5]\nmine = mine * 2.0 * 3.0\nreturn y"
    row = run(tmp_path / "mine", plain(predict=predict))
    assert (row.status, row.ops_counted) == ("ok", "batch")
    picked = row.ops - 3  # an addition, a comparison and a selection for all, two products for some
    assert 0 < picked < 2
    assert (row.ops_p50, row.ops_max) in ((3, 5), (4, 5), (5, 5))
    assert row.ops_batch == row.ops_single == row.ops


def quantile_by_hand(values, q):
    """Interpolate between the two values beside the place (n - 1) q."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * q
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def test_quantiles_of_a_cost_that_depends_on_the_input(tmp_path):
    predict = """
    y = x[:, 0] + 0.0
    for step in range(40):
        mine = y[y > step / 20 - 1] * 2.0
    return y
    """
    folder = write(tmp_path / "mine", plain(predict=predict))
    row = run_cell(cell_of(folder), Limits())
    x = load_task("memorization@1").load("n256-r4").test.x[:, 0]
    assert len(x) == row.sample_size  # all inputs are in the sample
    costs = [
        1 + 40 + 40 + sum(float(value) > float(np.float32(k / 20 - 1)) for k in range(40)) for value in x
    ]
    assert row.ops == pytest.approx(sum(costs) / 256)
    assert (row.ops_p50, row.ops_p95) == (quantile_by_hand(costs, 0.5), quantile_by_hand(costs, 0.95))
    assert row.ops_max == max(costs)
    assert quantile_by_hand(costs, 0.85) < row.ops_p95 < row.ops_max


def shared(ops_whole, ops_single, ops_together):
    """Count columns of 256 of 4,096 inputs, each at a price in each of the passes."""

    def ledger(ops, inputs):
        return Ledger([("experts", "add", "float32", ops * inputs)])

    return count_columns(
        Pass(ledger(ops_whole, 4096), np.zeros(4096)),
        Single(
            ledger(ops_single, 256),
            np.zeros(256),
            dict.fromkeys(PROFILES, np.full(256, ops_single)),
            np.zeros(256),
            np.zeros(256),
        ),
        Pass(ledger(ops_together, 3840), np.zeros(3840)),
        {},
        {},
    )


@pytest.mark.parametrize(
    ("whole", "single", "together", "counted", "ops"),
    [
        (50, 50, 50, "batch", 50),
        (51, 50, 50, "batch", 51),  # the split may have dearer inputs than the sample
        (49, 50, 50, "one-by-one", 50),
        (1, 50, 50, "one-by-one", 50),
        (50, 50, 1, "one-by-one", 50),
        (50, 10, 50, "one-by-one", 10),
    ],
)
def test_the_whole_split_is_never_cheaper_than_the_sample(whole, single, together, counted, ops):
    columns = shared(whole, single, together)
    assert (columns["ops_counted"], columns["ops"]) == (counted, ops)
    assert columns["counted_inputs"] == (4096 if counted == "batch" else 256)


def test_the_sample_is_drawn_by_the_model_too(tmp_path):
    cell = cell_of(write(tmp_path / "mine", plain()), instance="n4096-r4")
    first, again, other = (set(sample_inputs(cell, model, 4096).tolist()) for model in ("a", "a", "b"))
    assert sample_inputs(cell, "a", 4096).tolist() == sample_inputs(cell, "a", 4096).tolist()
    assert first == again != other
    assert len(first) == len(other) == SAMPLE
    assert len(first & other) < SAMPLE // 2
    assert sorted(sample_inputs(cell, "a", 9).tolist()) == list(range(9))


def test_a_cell_draws_its_sample_by_the_hash_of_what_was_fitted(tmp_path, monkeypatch):
    asked = []

    def noted(cell, model_hash, n):
        asked.append(model_hash)
        return sample_inputs(cell, model_hash, n)

    monkeypatch.setattr(cell_module, "sample_inputs", noted)
    row = run(tmp_path / "mine", plain())
    assert asked == [row.model_hash]
    assert row.model_hash is not None


def test_the_columns_of_a_router(tmp_path):
    row = run(tmp_path / "mine", routed())
    assert (row.ops_router, row.ops_experts, row.ops_router_free) == (1, 1, 1)
    assert (row.experts_run, row.experts_seen, row.lookups) == (1, 2, 1)
    assert row.expert_entropy == pytest.approx(1, abs=0.2)
    assert row.ops_dense == 2  # both experts, and no router
    assert (row.stored_parameters, row.loaded_parameters) == (3, 2)


def test_one_expert_twice_runs_once(tmp_path):
    both = BITS + "return sb.Routes(xp.concat([bits, bits], axis=1))"
    row = run(tmp_path / "mine", routed(route=both))
    assert (row.status, row.experts_run) == ("ok", 1)


def test_no_expert_at_all_is_no_route(tmp_path):
    row = run(tmp_path / "mine", routed(route=BITS + "return sb.Routes(bits[:, :0])", apply="return x[:, 0]"))
    assert row.status == "failed"
    assert "expected integer experts of shape (n, k), got shape (n, 0)" in row.reason


def test_arrays_made_in_predict_are_stored_parameters(tmp_path):
    fit, table = "return {'w': np.zeros(4)}", "xp.asarray(np.arange(4.0))"
    row = run(tmp_path / "mine", plain(fit=fit, predict=f"return x @ (params['w'] + {table})"))
    assert row.status == "ok", row.reason
    assert row.stored_parameters == 8


def single(predictions):
    return Single(Ledger(), np.asarray(predictions, float), {}, np.empty(0), np.empty(0))


def test_an_input_alone_is_as_in_a_batch():
    ones = np.ones(200)
    assert audits.alone_as_in_batches(single(ones), ones + 5e-7).verdict == "pass"
    few = np.where(np.arange(200) < 2, 2.0, 1.0)
    assert audits.alone_as_in_batches(single(ones), few).verdict == "pass"
    many = np.where(np.arange(200) < 3, 2.0, 1.0)
    failed = audits.alone_as_in_batches(single(ones), many)
    assert failed.verdict == "fail"
    with pytest.raises(InvalidResultError, match=r"1\.5% of predictions differ"):
        audits.demand(failed)


def test_what_an_audit_says_does_not_tell_how_many_differ():
    ones = np.ones(200)
    few = np.where(np.arange(200) < 2, 2.0, 1.0)
    assert audits.alone_as_in_batches(single(ones), few) == audits.alone_as_in_batches(single(ones), ones)
    together = Pass(predictions=np.tile(ones, 3))
    assert audits.order_invariance(together, few) == audits.order_invariance(together, ones)


def test_an_order_that_matters_is_found():
    sample = np.arange(100.0)
    assert audits.order_invariance(Pass(predictions=np.tile(sample, 4)), sample).verdict == "pass"
    other = np.tile(sample, 4)
    other[-5:] += 1.0
    failed = audits.order_invariance(Pass(predictions=other), sample)
    assert failed.verdict == "fail"
    with pytest.raises(InvalidResultError, match=r"1\.2% of predictions differ between two orders") as caught:
        audits.demand(failed)
    assert "wherever it stands" in caught.value.help


def test_predictions_that_depend_on_the_size_of_a_batch_make_the_row_invalid(tmp_path):
    # Batches of 32 and 4,064 rows, then rows alone; but 32 and 3,808 where the sample is repeated.
    predict = "return x[:, 0] + (1.0 if len(x) == 3808 else 0.0)"
    row = run_cell(cell_of(write(tmp_path / "mine", plain(predict=predict)), instance="n4096-r4"), Limits())
    assert row.status == "invalid"
    assert "predictions differ between two orders of batches; predict must treat" in row.reason
    verdicts = {audit.name: audit.verdict for audit in row.audits}
    assert verdicts == {"alone-as-in-batches": "pass", "order-invariance": "fail"}


def charged(total, phase="experts"):
    ledger = Ledger([(phase, "add", "float32", 3), ("router", "add", "float64", 2)])
    return Pass(ledger, total=Counter(total))


def test_phases_that_do_not_add_up_are_found():
    sound, lost, unknown = charged({"add": 5}), charged({"add": 6}), charged({"add": 5, "mul": 1})
    assert audits.phases_add_up({"whole": sound, "together": sound}).verdict == "pass"
    failed = audits.phases_add_up({"whole": sound, "together": lost})
    assert (failed.verdict, failed.detail) == (
        "fail",
        "together: 5 add in phases, 6 in all; please report it",
    )
    assert "0 mul in phases, 1 in all" in audits.phases_add_up({"whole": unknown}).detail


def test_an_engine_that_loses_a_charge_is_found(tmp_path, monkeypatch):
    whole = Ledger.charge
    monkeypatch.setattr(
        Ledger,
        "charge",
        lambda self, phase, charges: whole(self, phase, [c for c in charges if c.kind != "mul"]),
    )
    row = run(tmp_path / "mine", plain())
    verdicts = {audit.name: audit for audit in row.audits}
    assert row.status == "ok", row.reason
    assert verdicts["phases-add-up"].verdict == "fail"
    assert verdicts["phases-add-up"].detail == "whole: 0 mul in phases, 1024 in all; please report it"


def test_another_shape_and_one_sided_nan_differ():
    ones = np.ones(4)
    assert audits.timed_as_metered(np.ones(3), ones).verdict == "fail"
    assert audits.timed_as_metered(np.full(4, np.nan), ones).verdict == "fail"
    assert audits.timed_as_metered(np.full(4, np.nan), np.full(4, np.nan)).verdict == "pass"


def test_memorizing_for_less_than_the_bound_is_not_believed():
    labels = np.arange(256.0)
    assert audits.counting_bound(15, labels, 1.0).verdict == "pass"
    with pytest.raises(InvalidResultError, match="fewer than memorizing 256 labels takes"):
        audits.demand(audits.counting_bound(1, labels, 1.0))
    assert audits.counting_bound(0, labels, 1 / 256).verdict == "pass"
    assert audits.counting_bound(0, np.zeros(256), 1.0).verdict == "pass"


def test_a_mistake_of_our_own_ends_one_cell(tmp_path, monkeypatch, capsys):
    def broken(cell, limits):
        raise ZeroDivisionError("x = 0.25")

    monkeypatch.setattr(executor, "run_cell", broken)
    row = executor._work(cell_of(write(tmp_path / "mine", plain())), tmp_path / "out", Limits())
    assert row.status == "failed"
    assert row.reason.startswith("the harness itself failed: ZeroDivisionError at test_counts_and_audits.py:")
    assert row.reason.endswith("please report it")
    assert ResultStore(tmp_path / "out").latest() == [row]
    assert "Traceback" in capsys.readouterr().err
