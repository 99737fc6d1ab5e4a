"""What an input costs does not depend on the inputs beside it, and what does is found out."""

import re
from collections import Counter

import numpy as np
import pytest

from evaluate.tiny import PREDICT, cell_of, plain, routed, run, write
from sparsebench.errors import InvalidResultError
from sparsebench.evaluate import cell as cell_module
from sparsebench.evaluate import executor
from sparsebench.evaluate.audits import audits
from sparsebench.evaluate.cell import run_cell
from sparsebench.evaluate.passes.memory import size_of_files
from sparsebench.evaluate.passes.metering import Pass, Single
from sparsebench.evaluate.plan import Limits
from sparsebench.meter import Ledger
from sparsebench.results import COUNTS, Bin, ResultStore, dearer, may_differ
from sparsebench.tasks import load_task

BITS = "bits = xp.astype(x[:, :1] > 0, xp.int64)\n"


def same(rows):
    """Give what two runs of a cell must agree in."""
    return [
        {name: value for name, value in row.to_dict().items() if name not in may_differ(row)} for row in rows
    ]


def twice(folder, predict, *, instance="n256-r4", **limits):
    """Run a cell twice."""
    cell = cell_of(write(folder, plain(predict=predict)), instance=instance)
    return [run_cell(cell, Limits(**limits)) for _ in range(2)]


def test_inputs_that_cost_the_same_have_one_exact_cost(tmp_path):
    rows = twice(tmp_path / "mine", PREDICT, instance="n4096-r4")
    assert {(row.ops_counted, row.ops, row.coupled) for row in rows} == {("batch", 8, False)}
    assert {(row.sample_size, row.counted_inputs, row.test_inputs) for row in rows} == {(256, 4096, 4096)}
    assert rows[0].ops_histogram == (Bin(3, 256),)
    assert rows[0].sample_draw != rows[1].sample_draw
    first, second = same(rows)
    assert first == second
    assert COUNTS - {"ops_batch"} <= set(first)


def test_work_that_is_shared_across_rows_is_charged_to_every_row(tmp_path):
    predict = 't = xp.sum(params["w"] * params["w"])\nreturn x[:, 0] + t'
    rows = twice(tmp_path / "mine", predict)
    row = rows[0]
    assert (row.ops, row.ops_single, row.ops_counted) == (8, 8, "one-by-one")  # 4 products, 3 sums, 1 more
    assert row.coupled is True
    assert row.ops_batch < 2
    assert row.counted_inputs == row.sample_size == row.test_inputs == 256
    assert len({str(found) for found in same(rows)}) == 1


WAIT = """
y = x[:, 0] * 1.0
while xp.any(y > 0.25):
    y = xp.where(y > 0.25, y * 0.5, y)
return y
"""
LEAVE = """
y = x[:, 0] * 1.0
at = xp.asarray(np.arange(len(x)))[y > 0.25]
while len(at):
    y[at] = y[at] * 0.5
    at = at[y[at] > 0.25]
return y
"""


def test_a_loop_that_waits_for_the_slowest_row_is_invalid(tmp_path):
    row = run(tmp_path / "mine", plain(predict=WAIT))
    assert row.status == "invalid"
    assert re.fullmatch(
        r"batches cost [0-9.]+ operations per input, the same inputs alone [0-9.]+; "
        r"let rows that are done leave the batch: x = x\[active\]",
        row.reason,
    )
    assert [audit.name for audit in row.audits if audit.verdict == "fail"] == ["cost-in-batches"]
    assert row.sample_draw is not None
    assert row.ops is row.coupled is row.ops_histogram is None


def test_a_loop_that_rows_leave_costs_what_they_cost_alone(tmp_path):
    rows = twice(tmp_path / "mine", LEAVE, instance="n4096-r4")
    row = rows[0]
    assert (row.status, row.ops_counted, row.coupled) == ("ok", "one-by-one", True), row.reason
    assert row.ops_batch < row.ops  # shapes leave once in a batch, and once for every row alone
    assert (row.counted_inputs, row.sample_size, row.test_inputs) == (4096, 4096, 4096)
    assert row.ops_p50 < row.ops_max
    assert sum(each.inputs for each in row.ops_histogram) == 4096
    first, second = same(rows)
    assert first == second
    assert COUNTS - {"ops_batch"} <= set(first)


PICKED = "y = x[:, 0] + 0.0\nmine = y[x[:, 1] > 0.5]\nmine = mine * 2.0 * 3.0\nreturn y"


def test_rows_at_hand_that_are_picked_by_a_mask_are_charged_alone(tmp_path):
    row = run(tmp_path / "mine", plain(predict=PICKED))
    assert (row.status, row.ops_counted, row.coupled) == ("ok", "one-by-one", False)
    picked = row.ops - 3  # an addition, a comparison and a selection for all, two products for some
    assert 0 < picked < 2
    assert (row.ops_p50, row.ops_max) in ((3, 5), (4, 5), (5, 5))
    assert row.ops_batch == row.ops_single == row.ops
    half = [each.inputs for each in row.ops_histogram]
    assert row.ops_histogram == (Bin(1, half[0]), Bin(2, half[1]))
    assert row.ops == (3 * half[0] + 5 * half[1]) / 256


def test_of_a_large_split_a_sample_is_run_one_by_one(tmp_path):
    rows = twice(tmp_path / "mine", PICKED, instance="n65536-r4")
    for row in rows:
        assert (row.status, row.ops_counted, row.coupled) == ("ok", "one-by-one", False), row.reason
        assert (row.counted_inputs, row.sample_size, row.test_inputs) == (4096, 4096, 65536)
        assert row.ops_batch == row.ops
        assert 3 < row.ops < 5
    assert rows[0].sample_draw != rows[1].sample_draw  # the mean may be the same, by chance
    first, second = same(rows)
    assert first == second
    assert not COUNTS & set(first)


# Attacks: who knows in which pass it is ---------------------------------------------------------------------

ALONE_BY_TABLE = """
if len(x) == 1:
    return ops.gather(xp.astype(x[:, 0] > 9.0, xp.int64), params["b"])
y = x @ params["w"]
for _ in range(50):
    y = y * 1.0
return y
"""
CHEAP_IN = """
y = x[:, 0] * 0.0
for _ in range(2 if {cheap} else 50):
    y = y + 0.0
return y
"""
MOVED = """
y = x[:, 0] * 0.0
for _ in range(50):
    y = (y + 0.0) if len(x) == 1 else (y - 0.0)
z = x[: len(x) // 2, 1] * 2.0 * 2.0 if {half} else x[:, 1] * 2.0
return y
"""


@pytest.mark.parametrize(
    ("predict", "instance", "counted"),
    [
        (CHEAP_IN.format(cheap="len(x) > 1"), "n256-r4", 51),  # all batches
        (CHEAP_IN.format(cheap="len(x) == 4064"), "n4096-r4", 51),  # the whole split's last batch
        (CHEAP_IN.format(cheap="len(x) == 224"), "n256-r4", 51),  # and the same where all is sampled
        (CHEAP_IN.format(cheap="len(x) == 32"), "n4096-r4", 51),  # the first batch of every pass
        # Some rows for others, for a sum that is the same; two kinds, too, for the same price.
        (MOVED.format(half="len(x) > 1"), "n256-r4", 52),
    ],
)
def test_what_batches_cost_makes_no_input_cheaper(tmp_path, monkeypatch, predict, instance, counted):
    monkeypatch.setattr(cell_module, "MOST_ALONE", 300)
    row = run_cell(cell_of(write(tmp_path / "mine", plain(predict=predict)), instance=instance), Limits())
    assert row.status == "ok", row.reason
    assert row.ops == counted
    assert row.ops_counted == "one-by-one" or row.ops_batch == row.ops
    assert not dearer(row.ops_batch, row.ops)


@pytest.mark.parametrize(
    ("predict", "instance"),
    [
        (ALONE_BY_TABLE, "n256-r4"),
        (CHEAP_IN.format(cheap="len(x) == 1"), "n256-r4"),
        (CHEAP_IN.format(cheap="len(x) != 4064"), "n4096-r4"),  # dear where it is scored alone
        (CHEAP_IN.format(cheap="len(x) < 1000"), "n65536-r4"),
    ],
)
def test_who_is_cheap_alone_and_not_in_batches_is_invalid(tmp_path, monkeypatch, predict, instance):
    monkeypatch.setattr(cell_module, "MOST_ALONE", 300)
    row = run_cell(cell_of(write(tmp_path / "mine", plain(predict=predict)), instance=instance), Limits())
    assert row.status == "invalid"
    assert re.match(r"batches cost [0-9.]+ operations per input, the same inputs alone ", row.reason)


def test_bits_of_few_rows_are_paid_by_each_alone(tmp_path):
    """In a batch a bit costs one row's branch; alone, every row pays for its own."""
    predict = """
    y = x[:, 0] * 0.0
    for column in range(4):
        if x[0, column] > 0.0:
            y = y + 0.0
        else:
            y = y - 0.0
    return y
    """
    row = run(tmp_path / "mine", plain(predict=predict))
    assert (row.status, row.ops_counted, row.coupled) == ("ok", "one-by-one", True), row.reason
    assert row.ops == 1 + 4 * 3  # each a comparison, a branch and an addition
    assert row.ops_batch < 6


def test_work_in_a_batch_that_runs_out_of_memory_is_not_free(tmp_path):
    predict = """
    y = x @ params["w"]
    if len(x) > 16:
        for _ in range(40):
            y = y + 0.0
        xp.ones((1 << 24,)) * 1.0
    return y
    """
    row = run(tmp_path / "mine", plain(predict=predict), memory=64 << 20)
    assert row.status == "invalid", row.reason
    assert "of them in batches that ran out of memory" in row.reason


def test_little_work_in_a_batch_that_ran_out_of_memory_costs_an_honest_row_nothing(tmp_path):
    predict = """
    y = x @ params["w"] + params["b"]
    wide = y[:, None] * xp.ones((1, 1 << 17))
    return wide[:, 0]
    """
    first, second = twice(tmp_path / "mine", predict, memory=24 << 20)
    assert (first.status, first.ops_counted, first.coupled) == ("ok", "one-by-one", False), first.reason
    assert first.ops == 8 + (1 << 17)
    assert first.ops < first.ops_batch < first.ops + 2  # the first 32 rows were begun twice
    assert same([first])[0] == same([second])[0]


UNEQUAL = """
y = x[:, 0] * 0.0
mine = routes.experts[:, 0] == 1
y[mine] = y[mine] * 2.0 * 3.0 * 4.0
return y + ops.gather(routes.experts[:, 0], params["labels"])
"""


def test_experts_of_unequal_cost_give_the_same_columns_each_time(tmp_path):
    cell = cell_of(write(tmp_path / "mine", routed(apply=UNEQUAL)))
    rows = [run_cell(cell, Limits()) for _ in range(2)]
    assert (rows[0].status, rows[0].ops_counted, rows[0].coupled) == ("ok", "one-by-one", False)
    assert rows[0].ops_dense > rows[0].ops_experts
    first, second = same(rows)
    assert first == second


def test_time_limits_hold_where_all_inputs_run_one_by_one(tmp_path):
    predict = "if len(x) == 1: time.sleep(0.005)\n" + PICKED
    cell = cell_of(write(tmp_path / "mine", plain(predict=predict)), instance="n4096-r4")
    row = run_cell(cell, Limits(seconds=4.0))  # the sample takes half of them, all inputs five times as many
    assert row.status == "timeout", row.reason
    assert row.reason.startswith("predict: the time limit has passed (4 seconds)")


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
    assert "expected integer experts of shape (n, k), got shape (256, 0)" in row.reason


def test_arrays_made_in_predict_are_stored_parameters(tmp_path):
    fit, table = "return {'w': np.zeros(4)}", "xp.asarray(np.arange(4.0))"
    row = run(tmp_path / "mine", plain(fit=fit, predict=f"return x @ (params['w'] + {table})"))
    assert row.status == "ok", row.reason
    assert row.stored_parameters == 8


def test_memory_is_all_that_predict_can_know(tmp_path):
    fit, table = "return {'w': np.zeros(4), 'ü' * 64: np.zeros(2)}", "xp.asarray(np.arange(4.0))"
    code = plain(fit=fit, predict=f"return x @ (params['w'] + {table})")
    row = run(tmp_path / "mine", code)
    assert row.status == "ok", row.reason
    assert row.stored_bytes == (4 + 2 + 4) * 8
    heads = len("w") + 2 * 64 + 2 * (1 + 8)  # names, kinds and shapes; a small folder is code
    assert row.memory_bytes == row.stored_bytes + heads


def test_lengths_of_empty_arrays_are_memory(tmp_path):
    row = run(
        tmp_path / "mine", plain(fit="return {'w': np.zeros((2**20, 77, 0))}", predict="return x[:, 0]")
    )
    assert (row.status, row.stored_bytes, row.memory_bytes) == ("ok", 0, 1 + 1 + 3 * 8), row.reason


@pytest.mark.parametrize("kind", ["a file", "its name"])
def test_files_are_memory_beyond_64_kib(tmp_path, kind):
    folder = tmp_path / "mine"
    data = folder / "data"
    names = [f"{number:0200}" for number in range(400)] if kind == "its name" else ["table"]
    data.mkdir(parents=True)
    for name in names:
        (data / name).write_bytes(bytes(0 if kind == "its name" else 80_000))
    row = run(folder, plain(predict="return x[:, 0]"))
    assert row.status == "ok", row.reason
    assert row.stored_bytes == 40  # what fit of these tests returns
    assert size_of_files(folder) > 80_000
    heads = 2 * (1 + 1 + 8)
    assert row.memory_bytes == row.stored_bytes + heads + size_of_files(folder) - (64 << 10)


def single(predictions):
    nothing = np.empty(0)
    return Single(Ledger(), np.asarray(predictions, float), {}, nothing, nothing, [], nothing)


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
