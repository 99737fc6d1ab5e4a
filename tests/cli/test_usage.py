"""A mistake in usage ends with exit code 2 and one line: what was expected, what was got, and the mend."""

import importlib
import re
import subprocess
import sys

import click
import pytest

from evaluate.tiny import ROOT
from sparsebench.cli import cli as root
from sparsebench.cli.kinds import OneOf, PathTo, Whole

BOTH = "got both; leave one out, since each says which instances to run"
SHOWS = "`sparsebench {0} --help` shows what there is"
LINES = [
    ("evl", "sparsebench: expected a verb, got 'evl'; did you mean eval?"),
    ("leaderboard shw", "sparsebench leaderboard: expected a verb, got 'shw'; did you mean show?"),
    (
        "submissions lst",
        "sparsebench submissions: expected a verb, got 'lst'; did you mean list?",
    ),
    (
        "leaderboard zzz",
        (
            "sparsebench leaderboard: expected a verb, got 'zzz'; there are: build, compare, findings, "
            "freeze, plot, show"
        ),
    ),
    (
        "eval constant --sedes 3",
        "sparsebench eval: expected one of its options, got --sedes; did you mean --seeds?",
    ),
    (
        "leaderboard --hlp",
        "sparsebench leaderboard: expected one of its options, got --hlp; did you mean --help?",
    ),
    (
        "explain constant -y",
        f"sparsebench explain: expected one of its options, got -y; {SHOWS.format('explain')}",
    ),
    ("check", f"sparsebench check: expected SUBMISSION, got nothing; {SHOWS.format('check')}"),
    (
        "check one two three",
        f"sparsebench check: expected no more arguments, got 'two three'; {SHOWS.format('check')}",
    ),
    (
        "tasks seal memorization@1",
        f"sparsebench tasks seal: expected --instance, got nothing; {SHOWS.format('tasks seal')}",
    ),
    (
        "eval --seeds",
        f"sparsebench eval: --seeds: expected a value after it, got none; {SHOWS.format('eval')}",
    ),
    ("eval --small=3", "sparsebench eval: --small: expected no value, got one; leave the value out"),
    (
        "leaderboard compare constant",
        (
            "sparsebench leaderboard compare: expected SECOND, got nothing; "
            f"{SHOWS.format('leaderboard compare')}"
        ),
    ),
    (
        "leaderboard show --format xml",
        (
            "sparsebench leaderboard show: --format: expected one of terminal, markdown, latex, csv, "
            "got 'xml'; choose one of these"
        ),
    ),
    (
        "leaderboard show --format markdwn",
        (
            "sparsebench leaderboard show: --format: expected one of terminal, markdown, latex, csv, "
            "got 'markdwn'; did you mean markdown?"
        ),
    ),
    (
        "eval constant --jobs 0",
        "sparsebench eval: --jobs: expected a whole number of at least 1, got '0'; give such a number",
    ),
    (
        "eval constant --jobs many",
        "sparsebench eval: --jobs: expected a whole number of at least 1, got 'many'; give such a number",
    ),
    (
        "explain constant --seed -1",
        (
            "sparsebench explain: --seed: expected a whole number from 0 to 999999999, got '-1'; "
            "give such a number"
        ),
    ),
    (
        "tasks freeze nowhere",
        (
            "sparsebench tasks freeze: FOLDER: expected a folder, got 'nowhere', where there is nothing; "
            "mend the path"
        ),
    ),
    (
        "eval",
        (
            "sparsebench eval: expected a submission: a path, the name of a shipped one, or --shipped, "
            "got nothing; `sparsebench submissions` lists the shipped ones"
        ),
    ),
    (
        "eval constant --small --all-instances",
        f"sparsebench eval: expected --small or --all-instances, {BOTH}",
    ),
    (
        "eval constant --instances n256-r4 --all-instances",
        f"sparsebench eval: expected --instances or --all-instances, {BOTH}",
    ),
    (
        "tasks verify --seed-file .",
        "sparsebench tasks verify: --seed-file: expected a file, got the folder '.'; mend the path",
    ),
    (
        "tasks verify --task x",
        (
            "sparsebench tasks verify: expected one sealed folder with --seed-file and --task, got 0; "
            "name the folder"
        ),
    ),
]
FORMS = "a number of seeds (5), a range (3-7) or a list (0,2,9)"
SEEDS = [
    ("0", "at least 1 seed, got '0'; 1 is seed 0 alone, and so is 0,"),
    ("5-3", "a range from the smaller seed to the larger, got '5-3'; try 3-5"),
    ("99999", "at most 10000 seeds at once, got '99999'; 99999, is that seed alone"),
    ("7-99999", "at most 10000 seeds at once, got '7-99999'; 7-10006 are so many"),
    ("3,1000000000", "seeds of at most 999999999, got '3,1000000000'; give smaller ones"),
    ("1-1000000000", "seeds of at most 999999999, got '1-1000000000'; give smaller ones"),
    *((text, f"{FORMS}, got {text!r}; try 5") for text in ("x", "-1", "1.5", "", "3-", ",", "\u0663")),
]
SIZES = [
    ("4X", "a size such as 512M or 4G, got '4X'; bare numbers are bytes"),
    ("0", "a size such as 512M or 4G, got '0'; bare numbers are bytes"),
    *((text, f"at least 64M, which Python itself needs, got {text!r}; try 64M") for text in ("63M", "4")),
    ("67108863", "at least 64M, which Python itself needs, got '67108863'; try 64M"),
    ("9999999G", "at most 65,536G, got '9999999G'; 4G is the usual"),
]
TIMES = [
    *(
        (text, f"a positive number of seconds, got {text!r}; 600 is ten minutes")
        for text in ("0", "nan", "inf", "1h")
    ),
    ("3000000", "at most 1,000,000 seconds, got '3000000'; 600 is ten minutes"),
]


def told(outcome, line):
    """Check that an error is told in exactly this line."""
    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err == f"error: {line}\n"


@pytest.mark.parametrize(("typed", "line"), LINES)
def test_a_mistake_is_told_in_one_line(cli, here, typed, line):
    told(cli(*typed.split()), line)
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    ("option", "value", "line"),
    [
        *(("--seeds", *each) for each in SEEDS),
        *(("--memory-limit", *each) for each in SIZES),
        *(("--time-limit", *each) for each in TIMES),
    ],
)
def test_a_value_breaks_a_rule_that_is_named(cli, option, value, line):
    told(cli("eval", "constant", option, value), f"sparsebench eval: {option}: expected {line}")


def commands(command, path=()):
    """Walk all verbs."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from commands(command.get_command(context, name), (*path, name))


def test_every_option_tells_its_mistakes_in_our_words():
    plain = {click.Choice, click.IntRange, click.FloatRange, click.Path, click.File}
    seen = set()
    for path, command in commands(root):
        for param in command.params:
            seen.add(type(param.type))
            assert type(param.type) not in plain, (path, param.name)
            if isinstance(param, click.Option) and not param.is_flag:
                assert param.type not in {click.INT, click.FLOAT}, (path, param.name)
        if isinstance(command, click.Group):
            assert hasattr(command, "resolve_command"), path
            assert type(command).resolve_command is not click.Group.resolve_command, path
    assert {OneOf, Whole, PathTo} <= seen


def test_every_verb_has_an_example():
    for path, command in commands(root):
        if path:
            assert f"sparsebench {' '.join(path)}" in command.help.split("Example", 1)[-1], path


def test_an_empty_command_line_is_answered_with_the_help(cli):
    outcome = cli("results")
    assert outcome.code in {0, 2}  # as click's version has it
    assert "Commands:" in outcome.out + outcome.err
    assert "error" not in outcome.out + outcome.err


def test_the_package_can_be_run(here):
    ran = subprocess.run(
        [sys.executable, "-m", "sparsebench", "evl"], capture_output=True, text=True, check=False, timeout=60
    )
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == "error: sparsebench: expected a verb, got 'evl'; did you mean eval?\n"


def test_importing_what_runs_the_package_runs_nothing():
    assert importlib.import_module("sparsebench.__main__").main


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_a_script_that_completes(here, monkeypatch, cli, shell):
    monkeypatch.setenv("_SPARSEBENCH_COMPLETE", f"{shell}_source")
    outcome = cli()
    assert outcome.code == 0
    assert "_SPARSEBENCH_COMPLETE" in outcome.out
    assert "sparsebench" in outcome.out


@pytest.mark.parametrize(
    ("words", "number", "expected"),
    [
        ("sparsebench e", 1, ["eval", "explain"]),
        ("sparsebench leaderboard ", 2, ["build", "compare", "findings", "freeze", "plot", "show"]),
        ("sparsebench eval --all", 2, ["--all-instances"]),
        ("sparsebench eval --gpu ", 3, ["auto", "off"]),
    ],
)
def test_words_are_completed(cli, monkeypatch, words, number, expected):
    monkeypatch.setenv("_SPARSEBENCH_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(number))
    outcome = cli()
    assert [line.partition(",")[2] for line in outcome.out.splitlines()] == expected


def test_the_mistakes_that_the_docs_show_are_told_so(cli):
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    shown = re.findall(r"^    \$ sparsebench (.*)\n((?:    [a-z].*\n)+)", text, re.MULTILINE)
    assert len(shown) == 3
    for typed, lines in shown:
        wanted = [re.escape(line.strip()).replace("…", ".*") for line in lines.splitlines()]
        assert re.fullmatch("\n".join(wanted) + "\n", cli(*typed.split()).err), typed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("eval", "constant", "--dry-run", "--json"),
            "eval: expected --dry-run or --json, got both; leave one out",
        ),
        (
            ("check", "constant", "--in-process", "--json"),
            "check: expected --in-process or --json, got both; leave one out",
        ),
    ],
)
def test_what_is_no_json_is_not_asked_for_as_json(cli, arguments, message):
    told(cli(*arguments), f"sparsebench {message}")
