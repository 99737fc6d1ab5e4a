"""Counts and price lists."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsebench.errors import MemoryLimitError
from sparsebench.meter import PHASES, PROFILES, Entry, Ledger, price
from sparsebench.meter.engine.memory import PER_HANDLE, Memory
from sparsebench.meter.prices import WEIGHTS
from sparsebench.meter.values import DTYPES
from sparsebench.ops.charges import KINDS, Charge

ENTRIES = st.lists(
    st.builds(
        Entry,
        st.sampled_from(PHASES),
        st.sampled_from(sorted(KINDS)),
        st.sampled_from(DTYPES),
        st.integers(0, 2**70),
    )
)


@given(ENTRIES, ENTRIES)
def test_ledgers_add_up(some, others):
    one, two, both = Ledger(some), Ledger(others), Ledger(some + others)
    for profile in PROFILES:
        assert price(one, profile) + price(two, profile) == price(both, profile)
    one.add(two)
    assert one == both
    assert {kind: both.count(kind) for kind in KINDS} == {
        kind: sum(entry.amount for entry in some + others if entry.kind == kind) for kind in KINDS
    }


@given(ENTRIES)
def test_entries_come_back_in_a_fixed_order(entries):
    assert list(Ledger(reversed(entries))) == list(Ledger(entries)) == sorted(Ledger(entries))
    assert repr(Ledger(entries)).startswith("Ledger([")


def test_a_ledger_is_only_equal_to_a_ledger():
    assert Ledger() != []
    with pytest.raises(TypeError):
        hash(Ledger())


def test_zero_is_not_written():
    ledger = Ledger()
    ledger.charge("router", [Charge("add", "float32", 0), Charge("mul", "float32", 2)])
    assert list(ledger) == [Entry("router", "mul", "float32", 2)]


def test_every_kind_has_a_price():
    assert set(WEIGHTS) == set(KINDS)


def one(kind, dtype="float32", phase="experts"):
    return [Entry(phase, kind, dtype, 10)]


@pytest.mark.parametrize(
    ("profile", "entries", "expected"),
    [
        *(("ops", one(kind), 10) for kind in ("add", "mul", "cmp", "logic", "lookup", "branch")),
        *(("ops", one(kind), 40) for kind in ("div", "sqrt")),
        ("ops", one("special"), 80),
        *(("ops", one(kind), 0) for kind in ("mac", "load")),
        *(("add-mul-cmp", one(kind), 0) for kind in ("lookup", "branch", "mac", "load")),
        *(("add-mul-cmp", one(kind), 10) for kind in ("add", "mul", "cmp", "logic")),
        ("macs", one("mac"), 10),
        ("macs", one("mac", phase="router"), 10),
        *(("macs", one(kind), 0) for kind in ("mul", "add", "special", "lookup")),
        ("paper-router-free", one("special"), 80),
        ("paper-router-free", one("special", phase="router"), 0),
        ("bit-ops", one("add"), 10 * 32),
        ("bit-ops", one("mul"), 10 * 32 * 32),
        ("bit-ops", one("mul", "float64"), 10 * 64 * 64),
        ("bit-ops", one("add", "int8"), 10 * 8),
        ("bit-ops", one("logic", "bool"), 10),
        ("bit-ops", one("div"), 10 * 4 * 32 * 32),
        ("bit-ops", one("special", "float64"), 10 * 8 * 64 * 64),
        ("bit-ops", one("lookup", "int64"), 10 * 64),
        ("bit-ops", one("mac"), 0),
    ],
)
def test_profiles(profile, entries, expected):
    assert price(entries, profile) == expected


def test_memory_counts_views_once():
    memory = Memory(10_000)
    base = np.zeros(100)
    memory.mark()
    memory.hold(base)
    memory.hold(base[3:])
    assert (memory.held, memory.peak, memory.since_mark()) == (1824, 1824, 1824)
    assert memory.drop(base) is False
    assert memory.held == 800 + PER_HANDLE
    assert memory.drop(base[3:]) is True
    assert memory.held == 0
    with pytest.raises(MemoryLimitError):
        memory.admit(10_001)
    memory.admit(2000)
    assert memory.peak == 2000
