"""``sparsebench tasks``: listing, hashes, and tasks of one's own."""

import json

import pytest

from sparsebench.tasks import load_task
from sparsebench.tasks.cache import CACHE_VARIABLE

REFS = [
    "cube@1",
    *(f"lipschitz-regression@{version}" for version in (1, 2)),
    *(f"memorization@{version}" for version in (1, 2)),
    *(f"routed-classification@{version}" for version in (1, 2)),
]
VERBS = ["check", "croissant", "freeze", "generate", "list", "new", "seal", "show", "verify"]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_help_lists_all_verbs(cli):
    listed = cli("tasks", "--help").out.split("Commands:")[1].splitlines()
    assert [line.split()[0] for line in listed if line.strip()] == VERBS


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself_with_an_example(cli, verb):
    outcome = cli("tasks", verb, "--help")
    assert outcome.code == 0
    assert f"sparsebench tasks {verb}" in outcome.out.split("Example", 1)[1]


def test_list_and_show(cli):
    listed = json.loads(cli("tasks", "list", "--json").out)
    assert [task["task"] for task in listed] == REFS
    assert all(ref in cli("tasks", "list").out for ref in REFS)
    memorization = next(task for task in listed if task["task"] == "memorization@1")
    assert json.loads(cli("tasks", "show", "memorization@1", "--json").out) == memorization
    shown = cli("tasks", "show", "memorization@1").out
    assert memorization["hash"] in shown
    assert "n134217728-r4: 2^27 points in R^4, real labels (input 4; generated; streamed)" in shown
    routed = cli("tasks", "show", "routed-classification@1").out
    assert "bayes_accuracy" in routed
    assert "4 domains" in routed
    assert "MIT" in routed


def test_verify(cli):
    outcome = cli("tasks", "verify", "memorization@1")
    assert outcome.code == 0
    lines = [line.split() for line in outcome.out.splitlines()]
    assert [line[2] for line in lines] == list(load_task("memorization@1").instances)
    assert all(line[:2] == ["ok", "memorization@1"] for line in lines)
    assert "not made yet; it is on first use" in outcome.out
    told = json.loads(cli("tasks", "verify", "memorization@1", "--json").out)
    assert [(entry["instance"], entry["ok"]) for entry in told] == [(line[2], True) for line in lines]


def test_a_task_of_ones_own_from_beginning_to_end(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = cli("tasks", "new", "my-task")
    assert made.code == 0
    assert cli("tasks", "verify", "my-task/v1").code == 2, "it has no hashes yet"
    frozen = cli("tasks", "freeze", "my-task/v1")
    assert frozen.code == 0
    assert frozen.out.split() == ["my-task@1", load_task(tmp_path / "my-task" / "v1").hash]
    assert cli("tasks", "verify", "my-task/v1", "--regenerate").code == 0
    checked = cli("tasks", "check", "my-task/v1")
    assert (checked.code, "FAIL" in checked.out) == (0, False)
    assert cli("tasks", "croissant", "my-task/v1").code == 0
    assert cli("tasks", "croissant", "my-task/v1", "--check").code == 0
    instance = next(iter(load_task(tmp_path / "my-task" / "v1").instances))
    again = cli("tasks", "generate", "my-task/v1", "again", "--instances", instance)
    assert again.code == 0
    assert len(list((tmp_path / "again").glob("*.parquet"))) == len(again.out.splitlines())


def test_sealing_and_its_end(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sealed = cli(
        "tasks", "seal", "memorization@1", "--instance", "n256-r4", "--seed-file", "seed", "-o", "sealed"
    )
    assert sealed.code == 0
    told = json.loads(sealed.out)
    assert told == json.loads((tmp_path / "sealed" / "commitment.json").read_text())
    assert "keep seed and sealed secret" in sealed.err
    assert cli("tasks", "verify", "sealed").code == 0
    verified = cli("tasks", "verify", "sealed", "--seed-file", "seed")
    assert verified.code == 0
    assert "drawn again from the seed" in verified.out
    scored = cli(
        "eval", "conditional-tree", "--tasks", "sealed", "--seeds", "1", "--variants", "full", "--json"
    )
    assert scored.code == 0
    (row,) = json.loads(scored.out)
    assert (row["task"], row["instance"], row["status"], row["error"]) == (
        "memorization@1",
        told["instance"],
        "ok",
        0,
    )
    assert row["task_hash"] == load_task(tmp_path / "sealed").hash
    assert cli("leaderboard", "show", "--tasks", "sealed").code == 0
    (tmp_path / "lie").write_text("some other seed of enough bytes")
    lied = cli("tasks", "verify", "sealed", "--seed-file", "lie")
    assert lied.code == 4
    assert "error[SB400]: 1 of 3 checks failed" in lied.err


def test_what_is_not_in_the_repository_is_made_in_the_cache(cli, cache):
    task = load_task("memorization@1")
    made = cli("tasks", "generate", "memorization@1", "--instances", "n65536-r32")
    assert made.code == 0
    assert made.out.strip() == str(next((cache / "memorization@1").glob("*.parquet")))
    assert "making memorization@1/n65536-r32, which is kept in" in made.err
    verified = cli("tasks", "verify", "memorization@1")
    assert f"65536 rows, {task.instances['n65536-r32'].file_hash('n65536-r32.parquet')}" in verified.out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("verify", "--seed-file", __file__), 2, "expected one sealed folder with --seed-file and --task"),
        (("verify", "memorization@1", "--seed-file", __file__), 2, "memorization@1 is not sealed"),
        (("generate", "memorization@1", "--instances", "n3"), 2, "unknown instance 'n3'"),
        (
            ("seal", "memorization@1", "--instance", "n3", "--seed-file", "s", "-o", "o"),
            2,
            "unknown instance 'n3'",
        ),
        (
            ("seal", "memorization@1", "--instance", "n16777216-r4", "--seed-file", "s", "-o", "o"),
            2,
            "cannot be sealed: it is too large to be scored",
        ),
        (
            ("seal", "routed-classification@1", "--instance", "fashion", "--seed-file", "s", "-o", "o"),
            2,
            "cannot be sealed: its data are real",
        ),
        (("freeze", "no-such-folder"), 2, "no-such-folder"),
        (("show", "memorisation"), 2, "unknown task 'memorisation'"),
        (("check", "nothing@1"), 2, "unknown task 'nothing@1'"),
    ],
)
def test_mistakes(cli, tmp_path, monkeypatch, arguments, code, message):
    monkeypatch.chdir(tmp_path)
    outcome = cli("tasks", *arguments)
    assert outcome.code == code
    assert message in outcome.err
    assert "Traceback" not in outcome.err
    assert not (tmp_path / "o").exists()


def test_a_flipped_value_is_refused_with_file_column_and_hash(cli, tmp_path):
    import shutil

    import numpy as np

    from sparsebench.tasks.parquet import read_columns
    from sparsebench.tasks.parquet_writing import write_columns

    task = load_task("memorization@1")
    place = tmp_path / "memorization" / "v1"
    place.mkdir(parents=True)
    for path in task.folder.glob("*.*"):
        shutil.copy(path, place)
    columns = read_columns(place / "n256-r4.parquet")
    flipped = columns["x"].copy()
    flipped.view(np.uint32)[17, 2] ^= 1
    write_columns(place / "n256-r4.parquet", columns | {"x": flipped})
    outcome = cli("tasks", "verify", str(place))
    assert outcome.code == 4
    (line,) = [line for line in outcome.out.splitlines() if line.startswith("FAIL")]
    expected = task.instances["n256-r4"].files["n256-r4.parquet"]["x"]
    assert f"n256-r4.parquet: column 'x': expected content {expected}, got sha256:" in line
    refused = cli("eval", "constant", "--tasks", str(place), "--instances", "n256-r4", "--seeds", "1")
    assert refused.code == 4
    assert f"column 'x': expected content {expected}" in refused.err
