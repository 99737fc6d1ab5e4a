"""``sparsebench eval``: what it selects, runs, stores and prints."""

import json
from collections import Counter

import pytest

from evaluate.tiny import plain, write
from sparsebench.models import find_submission
from sparsebench.results import MEASURED, ResultStore, Row
from sparsebench.results.columns import COLUMNS
from sparsebench.tasks import newest_task

TWO = '[[variants]]\nname = "good"\nbad = false\n[[variants]]\nname = "bad"\nbad = true\n'
EITHER = plain(
    fit="if self.settings['bad']: raise ValueError('bad')\nreturn {'w': np.zeros(4), 'b': np.zeros(1)}"
)
ANSWERED = find_submission("constant").manifest.tasks
ONE_CELL = ("--instances", "n256-r4", "--seeds", "1")


def unmeasured(row):
    return {name: value for name, value in row.to_dict().items() if name not in MEASURED}


def dry(cli, *arguments):
    outcome = cli("eval", *arguments, "--dry-run")
    assert outcome.code == 0, outcome.err
    return outcome.out.splitlines()


def test_json_is_a_list_of_rows_with_all_columns(cli, here):
    outcome = cli("eval", "conditional-tree", *ONE_CELL, "--variants", "full,share-2", "--json")
    assert outcome.code == 0
    rows = json.loads(outcome.out)
    assert [list(row) for row in rows] == [list(COLUMNS)] * 2
    assert [
        Row.from_dict({**row, "packages": json.dumps(row["packages"], sort_keys=True)}).variant
        for row in rows
    ]
    assert {row["variant"]: row["ops"] for row in rows} == {"full": 31, "share-2": 28}
    stored = ResultStore(here / "sparsebench-results").latest()
    assert [row.to_json_dict() for row in stored] == rows


def test_json_is_alone_on_standard_output_even_where_cells_fail(cli, here):
    write(here / "mine", EITHER, variants=TWO)
    outcome = cli("eval", "mine", *ONE_CELL, "--json")
    assert outcome.code == 1
    assert {row["variant"]: row["status"] for row in json.loads(outcome.out)} == {
        "good": "ok",
        "bad": "failed",
    }
    (failed,) = (row for row in json.loads(outcome.out) if row["status"] == "failed")
    assert failed["error"] is failed["quality"] is failed["ops"] is None


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_failing_cell_leaves_the_others_alone(cli, here, jobs):
    write(here / "mine", EITHER, variants=TWO)
    outcome = cli("eval", "mine", "--instances", "n256-r4", "--seeds", "2", "--jobs", jobs)
    assert outcome.code == 1
    rows = ResultStore(here / "sparsebench-results").latest()
    assert sorted((row.variant, row.seed, row.status) for row in rows) == [
        ("bad", 0, "failed"),
        ("bad", 1, "failed"),
        ("good", 0, "ok"),
        ("good", 1, "ok"),
    ]
    assert (
        "failed: mine/bad on memorization@1/n256-r4, seed 1: ValueError: bad (submission.py:" in outcome.err
    )
    assert "2 failed" in outcome.out


def test_dry_run_lists_cells_and_makes_nothing(cli, here):
    assert dry(cli, "constant", "conditional-tree", "--variants", "full,best", *ONE_CELL) == [
        "constant/best on memorization@1/n256-r4, seed 0",
        "conditional-tree/full on memorization@1/n256-r4, seed 0",
    ]
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    ("seeds", "expected"), [("3", [0, 1, 2]), ("3-5", [3, 4, 5]), ("7,2,7", [7, 2]), ("9,", [9])]
)
def test_seeds(cli, seeds, expected):
    lines = dry(cli, "constant", "--instances", "n256-r4", "--seeds", seeds)
    assert [int(line.rpartition(" ")[2]) for line in lines] == expected


def test_selecting_tasks_instances_and_small_ones(cli):
    both = {line.split(" on ")[1].partition(",")[0] for line in dry(cli, "constant", "--seeds", "1")}
    newest = {task.ref: task for task in map(newest_task, ANSWERED)}
    assert both == {f"{task.home(name).ref}/{name}" for task in newest.values() for name in task.board}
    only = {
        line.split(" on ")[1].partition(",")[0] for line in dry(cli, "constant", "--tasks", "memorization@1")
    }
    assert only == {name for name in both if name.startswith("memorization@1/")}
    by_name = dry(cli, "constant", "--tasks", "memorization", "--seeds", "1")
    assert len(by_name) == len(newest_task("memorization@1").board) > len(only)
    small = {line.split(" on ")[1].partition(",")[0] for line in dry(cli, "constant", "--small")}
    everything = {line.split(" on ")[1].partition(",")[0] for line in dry(cli, "constant", "--all-instances")}
    assert "memorization@1/n256-r4" in small < everything > both
    assert "memorization@1/n65536-r4" not in small
    few = dry(cli, "constant", "--instances", "polynomial, n256-r4", "--seeds", "1")
    assert [line.split("/")[2].partition(",")[0] for line in few] == ["polynomial", "n256-r4"]


def test_shipped_adds_every_shipped_submission_once(cli):
    names = {line.partition("/")[0] for line in dry(cli, "--shipped", "--small", "--seeds", "1")}
    assert {"conditional-tree", "constant", "dsm-topk", "one-hidden-layer"} <= names
    lines = dry(cli, "--shipped", "constant", "--small", "--seeds", "1")
    assert len(set(lines)) == len(lines)


def test_the_table_is_made_of_the_rows(cli, here):
    outcome = cli("eval", "conditional-tree", *ONE_CELL, "--variants", "full", "-o", "rows-here")
    assert outcome.code == 0
    (row,) = ResultStore(here / "rows-here").latest()
    assert (row.ops, row.quality) == (31, 1.0)
    (line,) = (line for line in outcome.out.splitlines() if "conditional-tree  full" in line)
    assert line.split()[1:] == ["conditional-tree", "full", "31", "1", "1.000", "0", "3.1", "KiB", "1", "ok"]
    newest = newest_task("memorization@1")
    on_board = f"of the standard board's {len(newest.board)} instances"
    assert f"{newest.ref}: on 1 {on_board} (n256-r4)" in " ".join(outcome.out.split())
    assert cli("leaderboard", "show", "-o", "rows-here").out == outcome.out
    assert "rows: rows-here" in outcome.err
    assert [path.name for path in here.iterdir()] == ["rows-here"]


def test_progress_is_told_on_standard_error(cli):
    outcome = cli("eval", "constant", "--instances", "n256-r4", "--seeds", "2", "--jobs", "1")
    lines = [line for line in outcome.err.splitlines() if line.startswith("[")]
    assert [line.split(",")[0] for line in lines] == ["[1/2", "[2/2"]
    assert "ok constant/best n256-r4 seed 0: ops 0, quality 0.000" in lines[0]


def test_two_runs_and_any_number_of_jobs_give_the_same_rows(cli, here):
    arguments = ("lsh-affine", "dsm-topk", "--instances", "polynomial", "--seeds", "2")
    known = dry(cli, "lsh-affine", "dsm-topk", "--instances", "polynomial", "--seeds", "1")
    chosen = sorted({line.split("/")[1].partition(" ")[0] for line in known})[:3]
    variants = ("--variants", ",".join(chosen))
    runs = {}
    for name, jobs in (("one", 1), ("two", 2), ("again", 2)):
        outcome = cli("eval", *arguments, *variants, "--jobs", jobs, "-o", name)
        assert outcome.code == 0, outcome.err
        runs[name] = ([unmeasured(row) for row in ResultStore(here / name).latest()], outcome.out)
    assert len(runs["one"][0]) == 6
    assert runs["one"] == runs["two"] == runs["again"]


def test_the_new_submission_can_be_evaluated_at_once(cli, here):
    made = cli("new", "my-router")
    assert made.code == 0
    assert made.out.splitlines() == [
        f"my-router/{n}" for n in ("submission.toml", "submission.py", "README.md", ".gitattributes")
    ]
    assert cli("check", "./my-router", "--variants", "experts-8").code == 0
    assert [path.name for path in here.iterdir()] == ["my-router"]
    outcome = cli(
        "eval", "./my-router", "--instances", "polynomial", "--variants", "experts-8", "--seeds", "1"
    )
    assert outcome.code == 0, outcome.err
    assert "my-router" in cli("leaderboard", "show").out
    assert cli("leaderboard", "build").code == 0
    assert "my-router" in (here / "leaderboard" / "README.md").read_text(encoding="utf-8")


def test_the_commands_in_the_readme_of_a_new_submission_work(cli, here, monkeypatch):
    assert cli("new", "my-router").code == 0
    folder = here / "my-router"
    before = sorted(folder.iterdir())
    text = (folder / "README.md").read_text(encoding="utf-8")
    commands = [line.split() for line in text.splitlines() if line.startswith("    ")]
    assert [words[:2] for words in commands] == [
        ["cd", ".."],
        ["sparsebench", "check"],
        ["sparsebench", "eval"],
    ]
    monkeypatch.chdir(folder)
    for command, *words in commands:
        if command == "cd":
            monkeypatch.chdir(*words)
            continue
        dry_run = ["--dry-run"] if words[0] == "eval" else ["--variants", "experts-8"]
        outcome = cli(*words, *dry_run)
        assert outcome.code == 0, outcome.err
        assert "my-router" in outcome.out or "pass" in outcome.out
    outcome = cli(*commands[-1][1:], "--variants", "experts-8", "--instances", "polynomial", "--seeds", "1")
    assert outcome.code == 0, outcome.err
    assert sorted(folder.iterdir()) == before
    assert (here / "sparsebench-results").is_dir()


def test_check_tells_what_fails(cli, here):
    write(here / "mine", EITHER, variants=TWO)
    outcome = cli("check", "mine")
    assert outcome.code == 1
    assert "pass good on memorization@1/n256-r4 runs" in outcome.out
    assert "FAIL bad on memorization@1/n256-r4 runs: failed: ValueError: bad (submission.py:" in outcome.out
    told = json.loads(cli("check", "mine", "--json").out)
    assert [check["ok"] for check in told].count(False) == 1
    assert [check["verdict"] for check in told].count("fail") == 1


def test_check_prints_audits_that_do_not_pass_and_counts_all(cli, here):
    write(here / "mine", plain())
    outcome = cli("check", "mine")
    assert outcome.code == 0
    told = json.loads(cli("check", "mine", "--json").out)
    by_verdict = Counter(check["verdict"] for check in told)
    assert by_verdict.keys() == {"pass", "not-run"}
    *lines, summary = outcome.out.splitlines()
    assert summary == f"{len(told)} checks: {by_verdict['pass']} pass, {by_verdict['not-run']} not run"
    shown = [check for check in told if check["verdict"] != "pass" or not check["audit"]]
    assert len(lines) == len(shown)
    for line, check in zip(lines, shown, strict=True):
        mark = {"pass": "pass", "not-run": "not run"}[check["verdict"]]
        detail = check["detail"].removeprefix("not run: ")
        assert line == f"{mark} {check['name']}: {detail}"
    assert "not run v on memorization@1/n256-r4 expert-poison: there is no router" in lines
    assert "order-invariance" not in outcome.out  # it passes, and is counted


def test_check_tells_of_a_fit_that_does_not_repeat(cli, here):
    write(here / "mine", plain(fit="return {'w': np.random.default_rng().normal(size=4), 'b': np.zeros(1)}"))
    outcome = cli("check", "mine")
    assert outcome.code == 1
    assert "runs-again: two runs differ in model_hash" in outcome.out
    assert "draw randomness only from the rng" in outcome.out


def test_check_in_process_prints_what_the_submission_prints(cli, here):
    write(here / "mine", plain(predict="print('seen', x.shape)\nreturn x[:, 0]"))
    outcome = cli("check", "mine", "--in-process")
    assert outcome.code == 0
    assert "seen (32, 4)" in outcome.out
    assert "mine/v on memorization@1/n256-r4, seed 0: ops 0, quality 0.000" in outcome.out


def test_resume_runs_what_failed_and_what_changed_but_not_what_is_done(cli, here):
    folder = write(here / "mine", EITHER, variants=TWO)
    assert cli("eval", "mine", *ONE_CELL).code == 1
    store = here / "sparsebench-results" / "rows"
    before = {path: path.read_bytes() for path in store.iterdir()}
    again = cli("eval", "mine", *ONE_CELL, "--resume")
    assert again.code == 1
    assert "1 cells are finished already" in again.err
    assert "mine/good" not in "".join(line for line in again.err.splitlines() if line.startswith("["))
    assert "[1/1" in again.err
    assert {path: path.read_bytes() for path in before} == before
    assert len(list(store.iterdir())) == 3
    (folder / "submission.py").write_text(plain(), encoding="utf-8")
    mended = cli("eval", "mine", *ONE_CELL, "--resume")
    assert mended.code == 0, mended.err
    assert "[2/2" in mended.err
    rested = cli("eval", "mine", *ONE_CELL, "--resume", "--json")
    assert rested.code == 0
    assert "[" not in rested.err
    assert [row["status"] for row in json.loads(rested.out)] == ["ok", "ok"]


def test_without_resume_everything_runs_again_and_the_newest_row_counts(cli, here):
    for _ in range(2):
        assert cli("eval", "constant", *ONE_CELL).code == 0
    store = ResultStore(here / "sparsebench-results")
    assert (len(store.rows()), len(store.latest())) == (2, 1)


def test_one_error_names_what_all_submissions_of_a_run_require(cli, here):
    for name, package in (("one", "no-such-package"), ("two", "nor-this-one>=2")):
        write(here / name, plain(), more=f'requires = ["{package}"]')
    outcome = cli("eval", "./one", "./two", *ONE_CELL)
    assert outcome.code == 2
    assert outcome.out == ""
    assert "pip install 'no-such-package' 'nor-this-one>=2'" in outcome.err
