"""The sentences that a board supports say what its figures say, and nothing that it has no entries for."""

from __future__ import annotations

from click.testing import CliRunner

from leaderboard.test_board import LIP, MEMO, seeded
from leaderboard.test_tables import HOSTILE
from sparsebench.cli import cli
from sparsebench.leaderboard import build_board, write_leaderboard
from sparsebench.leaderboard.findings import findings, findings_markdown


def told(rows, tasks=(MEMO,), references=None):
    """Return topic -> sentence."""
    boards = [
        build_board(rows, tasks, references=references or {}, profile=profile)
        for profile in ("ops", "paper-router-free")
    ]
    return {finding.topic: finding.text for finding in findings(*boards)}


def routed(name, qualities, *, ops=2.0**8, router=0.5, **changes):
    """Give rows of an entry whose router makes a part of its operations."""
    more = {"ops": ops, "ops_router": ops * router, "ops_router_free": ops * (1 - router), "ops_p95": ops}
    return seeded(name, qualities, **more | changes)


def dense(name, qualities, *, ops=2.0**10, **changes):
    return routed(name, qualities, ops=ops, router=0.0, **changes)


def test_dense_and_routed_are_compared_at_a_quality_that_both_reach():
    rows = routed("r", [0.75, 0.75]) + dense("d", [0.75, 0.75]) + routed("worse", [0.5, 0.5])
    text = told(rows, references={MEMO.ref: "d"})["dense-and-routed"]
    assert text == (
        "At equal quality, the best routed entry beside the dense reference: on memorization@1 r takes 4.00 "
        "(4.00 to 4.00) times fewer operations for quality 0.7 on 1 of 1 instances than d."
    )


def test_an_entry_without_a_router_or_with_the_domain_is_no_routed_one():
    rows = dense("d", [0.75, 0.75]) + routed("told", [0.9, 0.9], uses_tags=True)
    said = told(rows, references={MEMO.ref: "d"})
    assert "dense-and-routed" not in said
    assert "ceiling" not in said  # nothing is beside it
    both = told(rows + routed("r", [0.5, 0.6]))
    assert both["ceiling"].startswith(
        "Told the domain, told reaches 0.450 (exact) on memorization@1, and the best"
    )
    assert "r, 0.275 (0.0" in both["ceiling"]


def test_the_routers_share_is_that_of_the_median_entry():
    rows = routed("a", [0.5], router=0.25) + routed("b", [0.5], router=0.75) + routed("c", [0.5], router=0.5)
    assert told(rows)["router"] == (
        "The router makes 50 % of the operations of the median routed entry, from 25 % (a on memorization@1) "
        "to 75 % (b on memorization@1)."
    )
    assert "router" not in told(dense("d", [0.5]))


def test_pairs_that_change_order_without_the_router_are_counted():
    heavy = routed("heavy", [0.9, 0.9], ops=2.0**11, router=0.9375)  # 2^7 without it
    light = routed("light", [0.8, 0.8], ops=2.0**9, router=0.5)  # 2^8
    text = told(heavy + light)["papers-prices"]
    assert text == (
        "Priced as papers do, without the router, 1 of the 1 pairs that are told apart change order; heavy "
        "gains most, from place 2 to 1 on memorization@1."
    )
    same = told(routed("a", [0.9, 0.9]) + routed("b", [0.5, 0.5]))["papers-prices"]
    assert same.endswith("0 of the 1 pairs that are told apart change order.")


def test_trees_and_tables_are_read_beside_the_best_router_with_experts():
    rows = (
        dense("cart", [0.9, 0.9], ops=2.0**6)
        + routed("grid-table", [0.5, 0.5])
        + routed("experts", [0.75, 0.75])
        + routed("soft-tree", [0.8, 0.8])
    )
    said = told(rows)
    assert said["trees"] == (
        "The best tree beside the best router with experts: on memorization@1 cart, 0.675 (exact), beats "
        "experts, 0.375 (exact) (ahead on 1 of 1 instances)."
    )
    assert (
        "grid-table, 0.250 (exact), loses to experts, 0.375 (exact) (ahead on 0 of 1 instances)"
        in said["tables"]
    )
    close = told(dense("cart", [0.7505, 0.7505], ops=2.0**8) + routed("experts", [0.75, 0.75]))
    assert "is not told apart from experts" in close["trees"]


def test_costs_that_depend_on_the_input_are_listed_dearest_first():
    rows = (
        routed("a", [0.5], ops_p95=2.0**9)
        + routed("a", [0.5], ops_p95=2.0**8.5, task=LIP)
        + routed("b", [0.5], ops_p95=3 * 2.0**8)
        + routed("c", [0.5])
    )
    assert told(rows, (MEMO, LIP))["input"] == (
        "The cost of 2 entries depends on the input; dear inputs, at the 95th percentile, over the mean: b "
        "(3.00 on memorization@1), a (2.00 on memorization@1)."
    )
    assert told(routed("c", [0.5]))["input"].startswith("No entry's cost depends on its input")


def test_the_order_over_all_tasks_needs_entries_of_every_task():
    rows = [
        row
        for name, q in (("a", 0.8), ("b", 0.4))
        for task in (MEMO, LIP)
        for row in dense(name, [q, q], task=task)
    ]
    text = told(rows, (MEMO, LIP))["overall"]
    assert text.startswith(
        "Of the 2 entries that enter every task, a buys most: 0.100 (exact), before b with 0.050"
    )
    assert text.endswith("2 of 2 places are held by one entry alone.")
    assert "overall" not in told(rows, (MEMO,))


def test_a_strangers_name_is_shown_and_does_nothing():
    rows = routed(HOSTILE, [0.75, 0.75]) + dense("d", [0.75, 0.75])
    boards = [
        build_board(rows, [MEMO], references={MEMO.ref: "d"}, profile=profile)
        for profile in ("ops", "paper-router-free")
    ]
    text = findings_markdown(findings(*boards))
    assert "calc" in text
    assert not [
        bad for bad in ("<script", "\x1b", "\u202e", "[l]", "`c`", "http://", "www.e", "\n| x") if bad in text
    ]


def test_without_rows_nothing_is_said():
    assert findings_markdown(()) == "These rows support no sentence yet."


def test_they_open_the_readme_where_it_has_their_markers(tmp_path):
    rows = routed("a", [0.5, 0.5]) + dense("d", [0.4, 0.4])
    board = build_board(rows, [MEMO])
    said = findings(board, build_board(rows, [MEMO], profile="paper-router-free"))
    write_leaderboard(board, tmp_path, said=said)
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert text.index("- The router makes 50 %") < text.index("### memorization@1")
    old = text.replace("sparsebench:findings", "another")
    (tmp_path / "README.md").write_text(old, encoding="utf-8")
    write_leaderboard(board, tmp_path)
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == old


def test_the_verb_says_what_the_published_board_opens_with(published):
    frozen = ["--frozen", str(published / "board.toml"), "--output", str(published / "results")]
    result = CliRunner().invoke(cli, ["leaderboard", "findings", *frozen])
    assert result.exit_code == 0, result.output
    text = (published / "README.md").read_text(encoding="utf-8")
    opening = text.split("<!-- sparsebench:findings:begin -->")[1].split("<!-- sparsebench:findings:end -->")[
        0
    ]
    assert opening.strip() == result.output.strip()
    assert text.index("findings:begin") < 100  # it opens with them
