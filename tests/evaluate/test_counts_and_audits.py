"""What an input costs does not depend on the inputs beside it, and what does is found out."""

import numpy as np
import pytest

from evaluate.tiny import cell_of, plain, routed, run, write
from sparsebench.errors import InvalidResultError
from sparsebench.evaluate import audits, executor
from sparsebench.evaluate.metering import Single
from sparsebench.evaluate.plan import Limits
from sparsebench.meter import Ledger
from sparsebench.results import MEASURED, ResultStore

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
    picked = row.ops - 2  # an addition and a comparison for all, two products for some
    assert 0 < picked < 2
    assert (row.ops_p50, row.ops_max) in ((2, 4), (3, 4), (4, 4))
    assert row.ops_batch == row.ops_single == row.ops


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
    with pytest.raises(InvalidResultError, match=r"1\.5% of predictions differ"):
        audits.alone_as_in_batches(single(ones), many)


def test_another_shape_and_one_sided_nan_differ():
    ones = np.ones(4)
    assert audits.timed_as_metered(np.ones(3), ones).verdict == "fail"
    assert audits.timed_as_metered(np.full(4, np.nan), ones).verdict == "fail"
    assert audits.timed_as_metered(np.full(4, np.nan), np.full(4, np.nan)).verdict == "pass"


def test_memorizing_for_less_than_the_bound_is_not_believed():
    labels = np.arange(256.0)
    assert audits.counting_bound(15, labels, 1.0).verdict == "pass"
    with pytest.raises(InvalidResultError, match="fewer than memorizing 256 labels takes"):
        audits.counting_bound(1, labels, 1.0)
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
