"""A user's mistake ends with exit code 2 and one line that says what, expected, got and the mend."""

import shutil

import pytest

from evaluate.tiny import ROOT, plain, write
from sparsebench.tasks import load_task, standard


def told(outcome, code, *parts):
    """Check that an error is told in one line and its mend in another, and nothing else."""
    assert outcome.code == code, outcome
    assert outcome.out == ""
    lines = outcome.err.splitlines()
    assert len(lines) == 2, outcome.err
    assert lines[0].startswith("error[SB")
    assert lines[1].startswith("help: ")
    for part in parts:
        assert part in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["eval", "contant"], ["no submission called 'contant'", "did you mean 'constant'?"]),
        (["eval", "./nowhere"], ["./nowhere: there is no such folder", "submission.toml"]),
        (["eval", ""], ["no submission called ''"]),
        (
            ["eval", "constant", "--tasks", "memorisation@1"],
            ["'memorisation@1'", "did you mean 'memorization@1'?"],
        ),
        (["eval", "constant", "--tasks", "memorization@9"], ["'memorization@9'", "memorization@1"]),
        (
            ["eval", "constant", "--instances", "n256"],
            ["no instance called 'n256'", "did you mean 'n256-r4'?"],
        ),
        (["eval", "constant", "--variants", "zz"], ["no variant called 'zz'", "there are: best"]),
        (
            ["eval", "conditional-tree", "--tasks", "lipschitz-regression@1"],
            ["nothing to run", "widen --tasks"],
        ),
        (
            ["eval", "constant", "--small", "--instances", "n65536-r4"],
            ["nothing to run", "take --small out: none of n65536-r4 is small"],
        ),
        (["eval", "constant", "--instances", "n16777216-r4"], ["too large to be loaded", "in batches"]),
        (["check", "contant"], ["did you mean 'constant'?"]),
        (["check", "constant", "--variants", "zz"], ["no variant called 'zz'"]),
        (["leaderboard", "show"], ["sparsebench-results: no rows there", "sparsebench eval"]),
        (["leaderboard", "build"], ["sparsebench-results: no rows there", "sparsebench eval"]),
        (["results", "show", "-o", "other"], ["other: no rows there", "--output"]),
        (["tasks", "show", "memory"], ["unknown task 'memory'", "memorization@1"]),
        (["tasks", "verify", "memory"], ["unknown task 'memory'"]),
        (["tasks", "generate", "memory", "made"], ["unknown task 'memory'"]),
        (["new", "Bad_Name"], ["got 'Bad_Name'", "sparsebench new my-router"]),
    ],
)
def test_a_wrong_name(cli, here, arguments, parts):
    told(cli(*arguments), 2, *parts)
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("verb", ["eval", "check"])
@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ('title = "A test"', "title = ", ["not valid TOML", "line 3"]),
        ('title = "A test"', 'titel = "A test"', ["title: missing", "titel: not a key that is known"]),
        ("submission:Model", "model:Model", ["entry: there is no model.py beside it"]),
        (
            "submission:Model",
            "submission:Modell",
            ["submission.py defines no 'Modell'", "classes there: Model"],
        ),
        ("memorization@1", "memorisation@1", ["'memorisation@1'", "did you mean 'memorization@1'?"]),
    ],
)
def test_a_wrong_manifest(cli, here, verb, old, new, parts):
    folder = write(here / "mine", plain())
    manifest = folder / "submission.toml"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    told(cli(verb, "mine"), 2, *parts)
    assert [path.name for path in here.iterdir()] == ["mine"]


@pytest.mark.parametrize("verb", ["eval", "check", "explain"])
@pytest.mark.parametrize(
    ("include", "parts"),
    [
        (
            '"../common/shared.py"',
            ["'../common/shared.py': No such file", "write the file, or mend the path"],
        ),
        ('"/etc/shared.py"', ["expected the relative path of a Python module", "got '/etc/shared.py'"]),
        ('"../../shared.py"', ["expected a file inside of", "put the file there"]),
        ('"../a/x.py", "../b/x.py"', ["expected files of different names, two are called 'x.py'"]),
    ],
)
def test_a_file_that_cannot_be_included(cli, here, verb, include, parts):
    write(here / "mine", plain(), more=f"include = [{include}]")
    told(cli(verb, "mine"), 2, "submission.toml: include", *parts)
    assert [path.name for path in here.iterdir()] == ["mine"]


@pytest.mark.parametrize("verb", ["eval", "check", "explain"])
def test_a_package_that_is_not_installed(cli, here, verb):
    write(here / "mine", plain(top="import nosuch"), more='requires = ["nosuch>=1.5"]')
    outcome = cli(verb, "mine")
    told(outcome, 2)
    assert outcome.err == (
        "error[SB100]: requires in submission.toml: expected nosuch>=1.5, got nothing installed\n"
        "help: pip install 'nosuch>=1.5'\n"
    )
    assert [path.name for path in here.iterdir()] == ["mine"]


@pytest.mark.parametrize("verb", ["eval", "check"])
def test_code_that_is_not_python(cli, here, verb):
    write(here / "mine", "x = 1\ndef broken(:\n")
    told(cli(verb, "mine"), 2, "submission.py:2: not valid Python", "mend it")


def test_two_submissions_of_one_name(cli, here):
    write(here / "a" / "mine", plain())
    write(here / "b" / "mine", plain())
    told(cli("eval", "a/mine", "b/mine"), 2, "two submissions are called 'mine'", "rename one")


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/below"])
def test_rows_that_could_not_be_written_are_found_out_before_anything_runs(cli, here, place):
    (here / "file").write_text("text", encoding="utf-8")
    outcome = cli("eval", "constant", "--seeds", "1", "--small", "-o", place)
    assert outcome.code == 2
    assert "] ok " not in outcome.err
    assert "Traceback" not in outcome.err
    assert (here / "file").read_text(encoding="utf-8") == "text"


@pytest.mark.parametrize("place", ["mine", "mine/rows", "mine/../mine/rows", "link/rows"])
def test_rows_do_not_go_into_a_submission(cli, here, place):
    folder = write(here / "mine", plain())
    (here / "link").symlink_to(folder)
    before = sorted(folder.iterdir())
    told(
        cli("eval", "mine", "--instances", "n256-r4", "--seeds", "1", "-o", place),
        2,
        "inside the submission mine",
        "run from another folder, or give another --output",
    )
    assert sorted(folder.iterdir()) == before


def test_rows_do_not_go_into_the_submission_one_works_in(cli, here, monkeypatch):
    folder = write(here / "mine", plain())
    before = sorted(folder.iterdir())
    monkeypatch.chdir(folder)
    told(cli("eval", ".", "--instances", "n256-r4"), 2, "inside the submission mine", "--output")
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("place", ["/proc/nope/x", "file/below"])
def test_a_task_is_not_generated_where_no_folder_can_be(cli, here, place):
    (here / "file").write_text("text", encoding="utf-8")
    told(cli("tasks", "generate", "memorization@1", place), 2, f"{place}: cannot be made", "another folder")
    assert (here / "file").read_text(encoding="utf-8") == "text"


def test_a_folder_that_exists_is_not_written_over(cli, here):
    (here / "mine").mkdir()
    told(cli("new", "mine"), 2, "mine exists already", "choose another name")
    assert list((here / "mine").iterdir()) == []


@pytest.fixture
def rows(cli):
    """Have rows of one task in the default place."""
    outcome = cli("eval", "constant", "--tasks", "memorization@1", "--instances", "n256-r4", "--seeds", "1")
    assert outcome.code == 0, outcome.err


@pytest.mark.usefixtures("rows")
def test_a_readme_without_markers_stays_as_it_is(cli, here):
    (here / "README.md").write_text("my text\n", encoding="utf-8")
    told(cli("leaderboard", "build", "--into", "."), 2, "sparsebench:board:begin", "put both markers")
    assert (here / "README.md").read_text(encoding="utf-8") == "my text\n"
    assert sorted(path.name for path in here.iterdir()) == ["README.md", "sparsebench-results"]


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("verb", ["show", "build"])
def test_a_task_without_rows_makes_no_board(cli, here, verb):
    outcome = cli("leaderboard", verb, "--tasks", "lipschitz-regression@1")
    told(outcome, 2, "no rows of lipschitz-regression@1", "there are rows of: memorization@1")
    assert not (here / "leaderboard").exists()


@pytest.mark.usefixtures("rows")
def test_names_that_no_row_has(cli):
    told(cli("results", "show", "--submissions", "constnt"), 2, "'constnt'", "there are rows of: constant")
    told(cli("results", "show", "--tasks", "memory@1"), 2, "'memory@1'", "there are rows of: memorization@1")


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize(
    "arguments",
    [
        ["leaderboard", "show"],
        ["results", "show", "--json"],
        ["eval", "constant", "--instances", "n256-r4", "--seeds", "1", "--resume"],
    ],
)
def test_a_damaged_file_in_the_store_is_refused(cli, here, arguments):
    (file,) = (here / "sparsebench-results" / "rows").iterdir()
    file.write_bytes(file.read_bytes()[:-20])
    told(cli(*arguments), 4, f"{file.name} is no file of rows", "move it out of the folder")


@pytest.fixture
def tasks(tmp_path, monkeypatch):
    """Have a copy of the tasks that may be damaged."""
    shutil.copytree(ROOT / "tasks", tmp_path / "tasks")
    monkeypatch.setattr(standard, "tasks_root", lambda: tmp_path / "tasks")
    assert load_task("memorization@1").folder.is_relative_to(tmp_path)
    return tmp_path / "tasks"


def test_a_task_file_that_is_no_parquet(cli, here, tasks):
    (tasks / "memorization" / "v1" / "n256-r4.parquet").write_bytes(b"PAR1 and nothing else")
    told(cli("eval", "conditional-tree", "--instances", "n256-r4"), 4, "n256-r4.parquet")
    assert list(here.iterdir()) == []


def test_a_task_file_whose_values_have_changed(cli, here, tasks):
    folder = tasks / "memorization" / "v1"
    shutil.copyfile(folder / "n4096-r4.parquet", folder / "n256-r4.parquet")
    told(
        cli("eval", "conditional-tree", "--instances", "n256-r4"),
        4,
        "expected content",
        "a changed hash is a new",
    )
    assert list(here.iterdir()) == []
    outcome = cli("tasks", "verify", "memorization@1")
    assert outcome.code == 4
    assert "FAIL memorization@1 n256-r4" in outcome.out
    assert "checks failed: data are not what their hashes say" in outcome.err


def test_another_instance_of_a_damaged_task_still_runs(cli, tasks):
    (tasks / "memorization" / "v1" / "n65536-r4.parquet").write_bytes(b"")
    outcome = cli("eval", "constant", "--instances", "n256-r4", "--seeds", "1")
    assert outcome.code == 0, outcome.err


def test_a_folder_nearby_is_thought_of(cli, here):
    write(here / "my-router", plain())
    for typed in ("my-ruter", "my-routr"):
        outcome = cli("eval", typed)
        assert outcome.code == 2
        assert "did you mean 'my-router'?" in outcome.err
