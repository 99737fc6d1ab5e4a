"""``eval --config``, ``--quiet`` and ``--verbose``."""

import json
import re

import click
import pytest

from evaluate.tiny import ROOT, plain, write
from sparsebench.cli.config import _NEVER, _key
from sparsebench.cli.evaluate import command
from sparsebench.results import ResultStore

BAD = plain(fit="raise ValueError('bad')")
CELL = ("--instances", "n256-r4", "--seeds", "1")


@pytest.fixture
def run(cli, here):
    """Evaluate by a file with this text, and list the cells."""

    def call(text, *arguments, dry=True):
        (here / "run.toml").write_text(text, encoding="utf-8")
        return cli("eval", *arguments, "--config", "run.toml", *(["--dry-run"] if dry else []))

    return call


def test_options_come_from_a_file(run):
    text = 'submissions = ["constant"]\ntasks = ["memorization@1"]\nseeds = [0, 4]\ninstances = "n256-r4"\n'
    outcome = run(text)
    assert outcome.code == 0, outcome.err
    assert outcome.out.splitlines() == [
        f"constant/best on memorization@1/n256-r4, seed {seed}" for seed in (0, 4)
    ]


def test_the_command_line_wins(run):
    text = 'submissions = ["constant"]\nseeds = 3\ninstances = ["n256-r4"]\n'
    assert len(run(text).out.splitlines()) == 3
    assert run(text, "--seeds", "7,").out == "constant/best on memorization@1/n256-r4, seed 7\n"
    other = run(text, "conditional-tree", "--variants", "full", "--seeds", "1")
    assert other.out == "conditional-tree/full on memorization@1/n256-r4, seed 0\n"
    wide = run('submissions = "constant"\nsmall = true\nseeds = 1\n', "--all-instances")
    assert "n65536-r4" in wide.out


def test_settings_and_flags_come_from_a_file(run, here):
    write(here / "mine", plain())
    text = (
        'submissions = "mine"\ninstances = "n256-r4"\nseeds = 1\nparam = { k = 2, w = "a" }\ndry-run = true\n'
    )
    assert run(text, dry=False).out == 'mine/v+k=2+w="a" on memorization@1/n256-r4, seed 0\n'


def test_a_run_by_a_file_alone(run, here):
    text = (
        'submissions = "constant"\ninstances = "n256-r4"\nseeds = "1"\njobs = 1\ntime-limit = 100\n'
        'memory-limit = "2G"\noutput = "rows-here"\njson = true\nquiet = true\ngpu = "off"\n'
        'require-sandbox = "none"\nprices = "macs"\n'
    )
    outcome = run(text, dry=False)
    assert outcome.code == 0, outcome.err
    (row,) = json.loads(outcome.out)
    assert row["submission"] == "constant"
    assert len(ResultStore(here / "rows-here").rows()) == 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("sedes = 3", "expected an option of eval, got 'sedes'; did you mean seeds?"),
        ("time_limit = 3", "expected an option of eval, got 'time_limit'; did you mean time-limit?"),
        ("config = 'x'", "expected an option of eval, got 'config'; "),
        ("seeds = 0", "seeds: expected at least 1 seed, got '0'; 1 is seed 0 alone, and so is 0,"),
        ("small = 1", "small: expected true or false, got 1; set it to one of these"),
        ("jobs = 0", "jobs: expected a whole number of at least 1, got '0'; give such a number"),
        ("jobs = true", "jobs: expected text or a number, got True; write it as on the command line"),
        ("tasks = [[1]]", "tasks: expected text or a number, got [[1]]; write it as on the command line"),
        ("gpu = 'on'", "gpu: expected one of auto, off, got 'on'; choose one of these"),
        ("param = 3", "param: expected a table, got 3; such as { hidden = 32 }"),
        (
            "param = { a = [1] }",
            "param: expected text, a finite number, true or false for a, got [1]; give such a value",
        ),
        ("seeds = ", "expected TOML, got Invalid value (at end of document); mend the file"),
    ],
)
def test_a_faulty_file_is_told_in_one_line(run, text, line):
    outcome = run(text, "constant")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(f"error: sparsebench eval: --config: run.toml: {line}")
    assert outcome.err.count("\n") == 1
    assert outcome.err.endswith(f"{line}\n") or line.endswith("; ")


def test_a_file_that_is_not_there(cli):
    outcome = cli("eval", "constant", "--config", "nowhere.toml")
    assert outcome.err == (
        "error: sparsebench eval: --config: expected a file, got 'nowhere.toml', where there is nothing; "
        "mend the path\n"
    )


def test_a_file_that_is_not_text(cli, here):
    (here / "run.toml").write_bytes(b"seeds = '\xff'")
    outcome = cli("eval", "constant", "--config", "run.toml")
    assert outcome.code == 2
    assert "run.toml: expected TOML, got" in outcome.err


def test_every_option_is_a_key():
    keys = {_key(param) for param in command.params} - set(_NEVER)
    assert {"submissions", "param", "json", "all-instances", "unsafe-no-sandbox"} <= keys
    assert all(isinstance(param, click.Option | click.Argument) for param in command.params)
    assert len(keys) == len(command.params) - 1


def test_the_file_that_the_docs_show_is_one(cli, here):
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    (here / "run.toml").write_text(re.search(r"```toml\n(.*?)```", text, re.DOTALL)[1], encoding="utf-8")
    outcome = cli("eval", "lsh-affine", "--config", "run.toml", "--seeds", "1", "--dry-run")
    assert outcome.code == 0, outcome.err
    assert "lsh-affine/planes-8 on lipschitz-regression@1/polynomial, seed 0" in outcome.out


def test_quiet_says_nothing_but_what_is_asked_for(cli, here):
    outcome = cli("eval", "constant", *CELL, "--quiet", "--resume")
    loud = cli("eval", "constant", *CELL, "--resume")
    assert outcome.code == 0
    assert outcome.out == loud.out
    assert [line for line in outcome.err.splitlines() if not line.startswith("warning: ")] == []
    write(here / "mine", BAD)
    failed = cli("eval", "mine", *CELL, "-q")
    assert failed.code == 1
    (line,) = [line for line in failed.err.splitlines() if not line.startswith("warning: ")]
    assert line.startswith("failed: mine/v on memorization@1/n256-r4, seed 0: ValueError: bad")


def test_verbose_tells_how_long_stages_took(cli):
    outcome = cli("eval", "constant", *CELL, "--verbose")
    first, second, *_ = outcome.err.splitlines()
    assert first.startswith("[1/1, ")
    assert re.fullmatch(
        r"  (load|start) \d+\.\d\d s, .*fit \d+\.\d\d s, whole \d+\.\d\d s, .*row \d+\.\d\d s", second
    )
    both = cli("eval", "constant", "-q", "-v")
    assert both.err == "error: sparsebench eval: expected --quiet or --verbose, got both; leave one out\n"
