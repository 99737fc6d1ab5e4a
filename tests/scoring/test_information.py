"""Normalised mutual information: against its definition, by hand, and by property."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsebench.scoring import normalised_mutual_information

group = st.integers(0, 4)
joints = st.dictionaries(st.tuples(group, group), st.integers(1, 1000), min_size=1, max_size=25)


def defined(joint):
    """Sum p log(p / (q r)) and divide by the mean of the entropies, as the definition has it."""
    whole = sum(joint.values())
    first, second = {}, {}
    for (a, b), count in joint.items():
        first[a] = first.get(a, 0) + count / whole
        second[b] = second.get(b, 0) + count / whole
    shared = sum(
        count / whole * math.log(count / whole / (first[a] * second[b])) for (a, b), count in joint.items()
    )
    entropies = [-sum(p * math.log(p) for p in shares.values()) for shares in (first, second)]
    return 1.0 if entropies == [0.0, 0.0] else shared / (sum(entropies) / 2)


def by_labels(one, other):
    joint = {}
    for pair in zip(one, other, strict=True):
        joint[pair] = joint.get(pair, 0) + 1
    return normalised_mutual_information(joint)


@given(joints)
def test_it_is_as_defined(joint):
    assert normalised_mutual_information(joint) == pytest.approx(defined(joint), abs=1e-9)


@given(joints)
def test_it_is_in_the_unit_interval_and_symmetric(joint):
    value = normalised_mutual_information(joint)
    assert 0.0 <= value <= 1.0
    swapped = {(b, a): count for (a, b), count in joint.items()}
    assert normalised_mutual_information(swapped) == pytest.approx(value, abs=1e-12)


@given(joints, st.permutations(range(5)), st.permutations(range(5)), st.integers(1, 9))
def test_neither_names_nor_weights_matter(joint, first, second, times):
    value = normalised_mutual_information(joint)
    renamed = {(first[a], second[b] + 100): count for (a, b), count in reversed(joint.items())}
    assert normalised_mutual_information(renamed) == value
    weighed = {pair: times * count for pair, count in joint.items()}
    assert normalised_mutual_information(weighed) == pytest.approx(value, abs=1e-12)
    assert normalised_mutual_information(joint | {(8, 8): 0}) == value


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=30))
def test_a_bijection_is_one_exactly(counts):
    assert normalised_mutual_information({(i, -i): count for i, count in enumerate(counts)}) == 1.0


@given(st.lists(st.integers(1, 50), min_size=2, max_size=6), st.lists(st.integers(1, 50), min_size=1))
def test_independence_is_zero(rows, columns):
    joint = {(i, j): row * column for i, row in enumerate(rows) for j, column in enumerate(columns)}
    assert normalised_mutual_information(joint) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    ("one", "other", "value"),
    [
        ([0, 0, 1, 1], [0, 0, 1, 1], 1.0),
        ([0, 0, 1, 1], [1, 1, 0, 0], 1.0),
        ([0, 0, 0, 0], [0, 1, 2, 3], 0.0),
        ([0, 0, 0, 0], [5, 5, 5, 5], 1.0),
        ([0, 0, 1, 1], [0, 1, 2, 3], 2 / 3),  # H = log 2 and log 4, I = log 2
    ],
)
def test_by_hand(one, other, value):
    assert by_labels(one, other) == pytest.approx(value, abs=1e-15)
