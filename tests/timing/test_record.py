"""Times are held against ceilings: what is faster than possible is no time."""

from __future__ import annotations

import json

import pytest

from sparsebench.timing import Ceilings, OpTiming, Spread
from sparsebench.timing.measure import Measured
from sparsebench.timing.record import rates
from sparsebench.timing.workload import Work

CEILINGS = Ceilings(read=100.0, copy=80.0, gathers=10.0, operations={"float32": 1000.0, "float16": 4000.0})


def told(work, seconds, *, dtype="float32"):
    spread = Spread(seconds, seconds, seconds, 3)
    return rates(work, Measured(spread, spread), CEILINGS, dtype)


def test_shares_of_the_ceilings():
    found = told(Work(bytes=100, operations=500, paired=400, lookups=10), 2.0)
    assert (found.status, found.reason) == ("ok", "")
    assert (found.bytes_per_second, found.operations_per_second) == (50.0, 250.0)
    assert (found.share_bandwidth, found.share_operations, found.share_gathers) == (0.5, 0.2, 0.5)


@pytest.mark.parametrize(("over", "status"), [(1.0, "ok"), (1.04, "ok"), (1.06, "invalid"), (9.0, "invalid")])
def test_more_than_a_twentieth_over_a_ceiling_is_invalid(over, status):
    memory = told(Work(bytes=round(1e6 * over), operations=0, paired=0, lookups=0), 1e4)
    paired = round(1e6 * over)
    arithmetic = told(Work(bytes=0, operations=paired, paired=paired, lookups=0), 1e3)
    assert (memory.status, arithmetic.status) == (status, status)
    assert bool(memory.reason) == bool(arithmetic.reason) == (status == "invalid")


def test_only_what_a_matrix_product_does_is_held_against_its_rate():
    comparisons = told(Work(bytes=0, operations=5000, paired=0, lookups=5000), 1.0)
    assert (comparisons.status, comparisons.share_operations) == ("ok", None)
    assert comparisons.operations_per_second == 5000.0
    mixed = told(Work(bytes=0, operations=5000, paired=900, lookups=0), 1.0)
    assert (mixed.status, mixed.share_operations) == ("ok", 0.9)


def test_formats_of_16_bits_share_a_ceiling_and_an_unknown_one_has_none():
    work = Work(bytes=0, operations=2000, paired=2000, lookups=0)
    assert told(work, 1.0, dtype="bfloat16").share_operations == 0.5
    assert told(work, 1.0, dtype="float64").share_operations is None
    assert told(work, 1.0, dtype="float64").share_gathers is None


def test_a_record_is_json():
    record = OpTiming(
        "made",
        "64",
        8,
        "steady",
        "a",
        1,
        "float32",
        status="failed",
        reason="x",
        equal=False,
        difference=None,
    )
    assert json.loads(json.dumps(record.as_dict(), allow_nan=False))["warm_median"] is None
