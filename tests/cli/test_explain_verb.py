"""``sparsebench explain``: the table, the JSON, and mistakes."""

import json
import re
from pathlib import Path

import pytest

from evaluate.tiny import plain, routed, write
from sparsebench.ops.charges import KINDS

PREDICT = """
scale = params["w"] * params["w"]
very_long_name_of_a_product = xp.sum(x * scale, axis=1) + 1.0 + 2.0 + 3.0 + 4.0 + 5.0 + 6.0 + 7.0 + 8.0
return very_long_name_of_a_product + params["b"]
"""
OWN = 'name = "mine-alone"\nlike = "ops"\n[ops]\nmul = 10\n'


def place(text):
    """The line of the submission that begins so."""
    lines = Path("mine/submission.py").read_text(encoding="utf-8").splitlines()
    (number,) = (number for number, line in enumerate(lines, 1) if line.strip().startswith(text))
    return number


@pytest.fixture
def folder(here):
    """A submission of one part."""
    return write(here / "mine", plain(predict=PREDICT))


@pytest.fixture
def own(here):
    """A price list."""
    path = here / "own.toml"
    path.write_text(OWN, encoding="utf-8")
    return path


def test_the_table_goes_by_lines_and_fits_a_hundred_columns(cli, folder):
    outcome = cli("explain", "mine")
    assert (outcome.code, outcome.err) == (0, "")
    head, phases, lines, said = outcome.out.rstrip().split("\n\n")
    assert head.startswith(
        "mine/v on memorization@1/n256-r4, seed 0\nPer input (256 inputs, each alone): 20 "
    )
    assert phases.splitlines()[1].split() == ["20", "100.0", "100.0", "experts"]
    longest = f"submission.py:{place('very_long_name_of_a_product =')}"
    first, below, second, second_below, *_ = lines.splitlines()[1:]
    assert first.split()[:5] == ["15", "75.0", "75.0", "experts", longest]
    assert first.endswith("…")
    assert below.strip() == "in predict: add 11, mul 4"
    assert "scale = " in second
    assert second_below.strip() == "in predict: mul 4; could move to fit"
    assert said.startswith("- 4 operations per input (20 %) have operands that are parameters or constants")
    assert said.endswith(f"- One line is 75 % of all operations: {longest}.")
    assert max(map(len, outcome.out.splitlines())) == 100


@pytest.mark.parametrize("by", ["line", "kind", "phase"])
def test_a_price_list_is_one_more_column(cli, folder, own, by):
    outcome = cli("explain", "mine", "--by", by, "--prices", own)
    tables = [line.split() for line in outcome.out.splitlines() if re.search(r"\bops +mine-alone\b", line)]
    assert len(tables) == (1 if by == "phase" else 2)
    assert "        20           92  100.0  100.0  experts" in outcome.out
    assert "mine-alone: the raw counts by that price list. It is not stored" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 100


def test_by_kind(cli, folder):
    rows = cli("explain", "mine", "--by", "kind").out.split("\n\n")[2].splitlines()
    found = [row.split(maxsplit=5) for row in rows[1:]]
    assert [row[3] for row in found] == ["add", "mul"]
    assert [row[0] for row in found] == ["12", "8"]
    assert all(row[5] == KINDS[row[3]] for row in found)


def test_by_phase(cli, here):
    write(here / "mine", routed())
    phases = cli("explain", "mine", "--by", "phase").out.split("\n\n")[1].splitlines()
    assert [row.split() for row in phases[1:]] == [
        ["1", "50.0", "50.0", "router"],
        ["cmp", "1"],
        ["1", "50.0", "100.0", "experts"],
        ["lookup", "1,", "load", "1"],
    ]


def test_a_part_of_a_line_and_callers_are_told(cli, here):
    predict = 'return both(x, params["w"])'
    top = "def both(x, w):\n    return x @ (w * w + w)\n"
    write(here / "mine", plain(predict=predict, top=top))
    out = " ".join(cli("explain", "mine").out.split())
    caller = f"submission.py:{place('return both')}"
    assert f"in both: mul 8, add 7; called from {caller}; 8 could move to fit" in out


def test_nothing_counted_is_a_short_table(cli, here):
    write(here / "mine", plain(predict='return xp.broadcast_to(params["b"], (x.shape[0],))'))
    for by in ("line", "kind"):
        outcome = cli("explain", "mine", "--by", by)
        assert outcome.code == 0
        assert "No operation that has a price is executed for an input." in outcome.out
        assert "%" not in outcome.out


def test_json_has_everything(cli, folder, own):
    found = json.loads(cli("explain", "mine", "--json", "--prices", own, "--inputs", "5", "--by", "kind").out)
    assert (found["submission"], found["variant"], found["inputs"], found["ops"]) == ("mine", "v", 5, 20)
    assert found["prices"] == {
        "ops": 20,
        "add-mul-cmp": 20,
        "macs": 0,
        "paper-router-free": 20,
        "bit-ops": found["prices"]["bit-ops"],
        "mine-alone": 92,
    }
    assert found["phases"]["router"] == {"ops": 0, "prices": {"mine-alone": 0}, "share": 0, "counts": {}}
    assert found["phases"]["experts"]["counts"] == {"add": 12, "mul": 8}
    assert found["kinds"] == {"add": {"count": 12, "ops": 12}, "mul": {"count": 8, "ops": 8}}
    assert sum(line["ops"] for line in found["lines"]) == found["ops"]
    assert sum(line["share"] for line in found["lines"]) == pytest.approx(1)
    top = found["lines"][0]
    assert (top["file"], top["line"], top["phase"], top["function"]) == (
        "submission.py",
        place("very_long_name_of_a_product ="),
        "experts",
        "predict",
    )
    assert top["source"].startswith("very_long_name_of_a_product = ")
    assert top["source"].endswith("8.0")
    assert sorted(line["fixed_ops"] for line in found["lines"]) == [0, 0, 4]
    assert len(found["observations"]) == 2


def test_what_the_code_prints_is_not_data(cli, here):
    write(here / "mine", plain(predict=f"print('seen')\n{PREDICT}"))
    outcome = cli("explain", "mine", "--json", "--inputs", "2")
    assert json.loads(outcome.out)["ops"] == 20
    assert outcome.err == "seen\nseen\n"


def test_source_that_a_terminal_would_obey_is_shown_inert(cli, here):
    write(here / "mine", plain(predict='return x[:, 0] + 1.0 if "\x1b[31m" else None'))
    assert "\x1b" not in cli("explain", "mine").out


@pytest.mark.parametrize(
    ("arguments", "message", "mend"),
    [
        (("--variant", "w"), "there is no variant called 'w'", "there are: v"),
        (("--instance", "n256-r5"), "there is no instance called 'n256-r5'", "did you mean 'n256-r4'?"),
        (("--task", "memorisation@1"), "unknown task 'memorisation@1'", "did you mean 'memorization@1'?"),
        (("--prices", "macz"), "unknown price list 'macz'", "did you mean 'macs'?"),
    ],
)
def test_a_wrong_name_gets_a_guess(cli, folder, arguments, message, mend):
    outcome = cli("explain", "mine", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err
    assert mend in outcome.err


def test_a_refusal_names_the_line(cli, here):
    write(here / "mine", plain(predict="return xp.floor(x)[:, 0]"))
    outcome = cli("explain", "mine")
    assert (outcome.code, outcome.out) == (1, "")
    assert re.search(r"floor is refused.*\(submission\.py:\d+ in predict\)", outcome.err)


def test_a_mistake_in_the_code_is_no_traceback(cli, here):
    write(here / "mine", plain(predict="return x @ x"))
    outcome = cli("explain", "mine")
    assert (outcome.code, outcome.out) == (1, "")
    error, mend = outcome.err.splitlines()
    assert re.search(
        r"ValueError: matmul: shapes .*\(submission\.py:\d+ in predict\): `return x @ x`$", error
    )
    assert "sparsebench check FOLDER --in-process" in mend


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (plain(predict="pass"), "predict: expected an array of the namespace of x, got NoneType"),
        (routed(route="return x"), "route: expected sparsebench.Routes, got ndarray"),
        (routed(apply="return np.zeros(1)"), "apply: expected an array of the namespace of x, got ndarray"),
    ],
)
def test_an_answer_that_is_none_names_who_gave_it(cli, here, code, said):
    write(here / "mine", code)
    outcome = cli("explain", "mine")
    assert outcome.code == 2
    assert said in outcome.err


def test_nothing_is_stored(cli, folder, here):
    before = sorted(path.name for path in here.iterdir())
    cli("explain", "mine")
    assert sorted(path.name for path in here.iterdir()) == before


def test_help_says_where_it_runs(cli):
    out = " ".join(cli("explain", "--help").out.split())
    assert "in this process, without a sandbox" in out
    assert "sparsebench explain lsh-affine --variant planes-8" in out
