"""``eval -p``: settings from the command line, whose rows are marked and on no board."""

import json

import pytest

from evaluate.tiny import plain, write
from leaderboard.test_board import MEMO, made
from sparsebench.leaderboard import build_board
from sparsebench.models.manifest import Variant
from sparsebench.results import ResultStore
from sparsebench.results.adhoc import ad_hoc_name, is_ad_hoc

CODE = plain(
    fit="return {'w': np.zeros(4), 'b': np.zeros(len(self.settings))}",
    predict="return x[:, 0] * self.settings['scale']",
)
ONE = '[[variants]]\nname = "v"\nscale = 1.0\n'
TWO = ONE + '[[variants]]\nname = "w"\nscale = 2.0\n'
CELL = ("--instances", "n256-r4", "--seeds", "1")


@pytest.fixture
def mine(here):
    """Have a submission of one variant."""
    return write(here / "mine", CODE, variants=ONE)


def rows(here):
    return ResultStore(here / "sparsebench-results").latest()


@pytest.mark.usefixtures("mine")
def test_a_setting_is_tried_and_the_row_is_marked(cli, here):
    outcome = cli("eval", "mine", *CELL, "-p", "scale=3.5", "--param", 'more="a b"')
    assert outcome.code == 0, outcome.err
    (row,) = rows(here)
    assert (row.variant, row.status) == ('v+more="a b"+scale=3.5', "ok")
    assert is_ad_hoc(row.variant)
    assert row.cell_key[:12] in outcome.out
    assert row.variant in outcome.out
    assert outcome.out.endswith(
        "Settings from the command line are for trying: such rows are never on a board.\n"
    )
    assert "Score" not in outcome.out


def test_a_setting_that_the_entry_does_not_take_is_told(cli, here):
    code = plain().replace(
        "def __init__(self, task, **settings):", "def __init__(self, task, scale=1.0, settings=()):"
    )
    write(here / "mine", code, variants=ONE)
    outcome = cli("eval", "mine", *CELL, "-p", "scales=2.0")
    assert outcome.code == 1
    (row,) = rows(here)
    told = "-p scales: expected a setting that Model(task, scale=1.0, settings=()) takes, got 'scales'"
    assert row.reason == f"{told}; did you mean 'scale'?"


@pytest.mark.usefixtures("mine")
def test_what_is_tried_is_what_the_entry_gets(cli, here):
    assert cli("eval", "mine", *CELL, "-p", "scale=0.0", "--json").code == 0
    assert cli("eval", "mine", *CELL, "-p", "scale=0.0", "-p", "b=true", "-p", "c=2", "--json").code == 0
    assert {row.variant for row in rows(here)} == {"v+scale=0.0", "v+b=true+c=2+scale=0.0"}
    assert {row.stored_parameters for row in rows(here)} == {4 + 1, 4 + 3}  # one for each setting


@pytest.mark.usefixtures("mine")
def test_no_board_has_it_and_a_note_says_so(cli, here):
    assert cli("eval", "mine", *CELL).code == 0
    before = json.loads(cli("leaderboard", "show", "--json").out)
    assert cli("eval", "mine", *CELL, "-p", "scale=0.5").code == 0
    after = json.loads(cli("leaderboard", "show", "--json").out)
    note = "mine: rows with settings from the command line are left out: v+scale=0.5"
    assert after["notes"] == [*before["notes"][:1], note, *before["notes"][1:]]
    assert after | {"notes": 0} == before | {"notes": 0}
    assert {row.variant for row in rows(here)} == {"v", "v+scale=0.5"}


@pytest.mark.usefixtures("mine")
def test_a_store_of_nothing_else_makes_no_board(cli):
    assert cli("eval", "mine", *CELL, "-p", "scale=0.5").code == 0
    outcome = cli("leaderboard", "show")
    assert (outcome.code, outcome.out) == (2, "")
    assert "no rows of any instance of memorization@2" in outcome.err
    assert "rows of settings from the command line are never on a board" in outcome.err


@pytest.mark.usefixtures("mine")
def test_it_is_resumed_by_its_own_name(cli):
    assert cli("eval", "mine", *CELL, "-p", "scale=0.5", "-p", "a=1").code == 0
    again = cli("eval", "mine", *CELL, "-p", "a=1", "-p", "scale=0.5", "--resume")
    assert "1 cells are finished already" in again.err
    assert "finished already" not in cli("eval", "mine", *CELL, "-p", "scale=1", "--resume").err
    assert "finished already" not in cli("eval", "mine", *CELL, "--resume").err


def test_a_board_leaves_tried_rows_out_whatever_else_they_say():
    own = [made("a", seed=seed) for seed in range(2)]
    tried = [
        made("a", f"v+hidden={n}", quality=1.0, ended="2027-01-02T03:04:06.000000+00:00", submission_hash="z")
        for n in range(30)
    ]
    board = build_board([*tried, *own, made("b", "w=1")], [MEMO])
    plain_board = build_board(own, [MEMO])
    assert board.entries == plain_board.entries
    assert board.notes[0].startswith("a: rows with settings from the command line are left out: v+hidden=0, ")
    assert board.notes[1] == "b: rows with settings from the command line are left out: w=1"
    assert board.notes[2:] == plain_board.notes


def test_no_manifest_can_name_a_variant_so():
    for name in (ad_hoc_name("v", {"hidden": 32}), "v+", "v=", "a=b"):
        assert is_ad_hoc(name)
        with pytest.raises(ValueError, match="name"):
            Variant(name=name)
    assert not is_ad_hoc("hidden-32")


def test_names_tell_settings_apart():
    values = (1, 1.0, True, "1", "true", 'a"+b=1', "a\x1b[31m\n")
    names = [ad_hoc_name("v", {"k": value}) for value in values]
    assert len(set(names)) == len(names)
    assert all(name.isprintable() for name in names)
    assert ad_hoc_name("v", {"b": 1, "a": 2}) == ad_hoc_name("v", {"a": 2, "b": 1}) == "v+a=2+b=1"


GOT = [
    ("hidden", "expected NAME=VALUE, got 'hidden'; such as hidden=32"),
    ("=3", "expected the name of a setting, got ''; such as hidden"),
    ("a-b=3", "expected the name of a setting, got 'a-b'; such as hidden"),
    ("fit=3", "expected a setting of the variant, got 'fit'; that name is taken"),
    ("name=3", "expected a setting of the variant, got 'name'; that name is taken"),
    (
        "kind=relu",
        "expected a value as TOML has it for kind, got 'relu'; text takes quotes: kind='\"relu\"'",
    ),
    ("a=", "expected a value as TOML has it for a, got ''; mend it"),
    ("a=1\nb = 2", "expected a value as TOML has it for a, got '1\\nb = 2'; mend it"),
    ("a=[1]", "expected text, a finite number, true or false for a, got [1]; give such a value"),
    ("a=nan", "expected text, a finite number, true or false for a, got nan; give such a value"),
]


@pytest.mark.parametrize(("typed", "line"), GOT)
def test_a_setting_that_is_none(cli, typed, line):
    outcome = cli("eval", "constant", "-p", typed)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == f"error: sparsebench eval: --param: {line}\n"


def test_a_variant_that_takes_anothers_fit_takes_it_when_it_is_tried(cli, here):
    shared = ONE + '[[variants]]\nname = "w"\nfit = "v"\nscale = 2.0\n'
    write(here / "mine", CODE, variants=shared)
    assert cli("eval", "mine", *CELL).code == 0
    assert cli("eval", "mine", *CELL, "--variants", "v,w", "-p", "scale=3.0", "-p", "a=1").code == 0
    found = {row.variant: (row.fit_variant, row.stored_parameters) for row in rows(here)}
    assert found == {
        "v": (None, 4 + 1),
        "w": ("v", 4 + 1),
        "v+a=1+scale=3.0": (None, 4 + 2),
        "w+a=1+scale=3.0": ("v", 4 + 1),
    }


def test_of_several_variants_one_is_named(cli, here):
    write(here / "mine", CODE, variants=TWO)
    outcome = cli("eval", "mine", *CELL, "-p", "scale=3.0")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.splitlines() == [
        "error[SB100]: expected --variants with settings to try, got none: mine has 2",
        "help: name the variant to start from: v, w",
    ]
    named = cli("eval", "mine", *CELL, "-p", "scale=3.0", "--variants", "w", "--dry-run")
    assert named.out == "mine/w+scale=3.0 on memorization@1/n256-r4, seed 0\n"
    both = cli("eval", "mine", "constant", *CELL, "-p", "scale=3.0", "--dry-run")
    assert both.err.splitlines() == [
        "error[SB100]: expected one submission with settings to try, got mine, constant",
        "help: evaluate each by itself",
    ]
