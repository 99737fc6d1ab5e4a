"""Scores with the router and without, from stored rows."""

import pytest

from leaderboard.test_board import LIP, MEMO, seeded
from sparsebench.errors import NotFoundError
from sparsebench.leaderboard import build_board
from sparsebench.leaderboard.findings import turned_pairs
from sparsebench.studies.honest_price import STUDY, both_prices
from sparsebench.studies.steps import Steps


def entered(name, quality, ops, router, **changes):
    more = {"ops": ops, "ops_router": ops * router, "ops_router_free": ops * (1 - router), "ops_p95": ops}
    return seeded(name, [quality, quality + 0.01], **more | changes)


def boards():
    """By the honest price routed is the last, since its router is most of it; without it, the first."""
    rows = (
        entered("routed", 0.8, 2.0**12, 0.97)
        + entered("dense", 0.8, 2.0**10, 0.0)
        + entered("cart", 0.2, 2.0**11, 0.5)
        + entered("told", 0.9, 2.0**4, 0.5, uses_tags=True)
        + entered("dense", 0.5, 2.0**7, 0.0, task=LIP, instance="j")
    )
    return [build_board(rows, [MEMO, LIP], profile=profile) for profile in ("ops", "paper-router-free")]


def test_pairs_that_change_order_are_counted():
    honest, free = boards()
    assert turned_pairs(honest, free) == {MEMO.ref: (2, 3), LIP.ref: (0, 0)}


def test_entries_are_told_by_both_prices_and_those_that_are_told_the_domain_are_not():
    found = {(each.task, each.submission): each for each in both_prices(*boards())}
    assert set(found) == {(MEMO.ref, name) for name in ("routed", "dense", "cart")} | {(LIP.ref, "dense")}
    routed = found[MEMO.ref, "routed"]
    assert routed.places == (3, 1)
    assert routed.is_routed
    assert routed.free.score > routed.honest.score
    assert not found[MEMO.ref, "cart"].is_routed  # all that a tree does is to route


@pytest.mark.parametrize("given", [None, "nowhere"])
def test_without_rows_it_says_so(given, tmp_path):
    with pytest.raises(NotFoundError, match="stored rows"):
        STUDY.measure(Steps(None, "code", store=None if given is None else tmp_path / given))


def test_stored_rows_make_a_page(published_rows):
    outcome = STUDY.measure(Steps(None, "code", store=published_rows))
    assert len(outcome.claims) == 2
    assert len(outcome.tables[0].rows) > 3
