"""Rows by somebody's price list: the same counts, another price, nothing stored."""

import pytest

from leaderboard.test_board import made
from sparsebench.meter.pricelist import PriceList, standard_price_list
from sparsebench.results import Count
from sparsebench.results.columns import COLUMNS
from sparsebench.results.priced import price_footnote, price_of_row, with_price

COUNTS = (Count("router", "cmp", "float32", 30), Count("experts", "mul", "float64", 20))
TENFOLD = PriceList("tenfold", lambda entry: 10)


@pytest.fixture
def row():
    return made(counts=COUNTS, counted_inputs=10)


def test_a_row_is_priced_per_input(row):
    assert price_of_row(row, TENFOLD) == 50
    assert price_of_row(row, standard_price_list("paper-router-free")) == 2


def test_a_row_without_counts_has_no_price():
    assert price_of_row(made(quality=None), TENFOLD) is None
    assert price_of_row(made(counts=None, counted_inputs=None), TENFOLD) is None


def test_the_price_stands_beside_ops(row):
    shown = with_price(row, TENFOLD)
    beside = list(COLUMNS)
    beside.insert(beside.index("ops") + 1, "tenfold")
    assert list(shown) == beside
    assert shown["tenfold"] == 50
    assert {name: shown[name] for name in COLUMNS} == row.to_json_dict()


def test_without_a_list_a_row_is_shown_as_it_is(row):
    assert with_price(row, None) == row.to_json_dict()


@pytest.mark.parametrize("name", ["ops", "macs"])
def test_a_stored_column_is_shown_as_it_is_stored(row, name):
    shown = with_price(row, standard_price_list(name))
    assert set(shown) == set(COLUMNS)
    assert shown[name] == getattr(row, name)


def test_the_footnote_says_what_it_is_not():
    assert price_footnote("mine").startswith("mine: ")
    assert "not stored" in price_footnote("mine")
    assert "nothing is ranked by it" in price_footnote("mine")
