"""What each verb prints with ``--json`` is what its schema says, and docs/json.md lists them all."""

import json
import re
from importlib.resources import files

import click
import pytest

from evaluate.tiny import ROOT, plain, routed, write
from sparsebench.cli import cli as root
from sparsebench.results import COLUMNS, Row
from sparsebench.results.checks import columns
from timing.picked import PLAIN

jsonschema = pytest.importorskip("jsonschema", reason="pip install jsonschema")
referencing = pytest.importorskip("referencing", reason="pip install jsonschema")

FOLDER = files("sparsebench.cli") / "schemas"
SCHEMAS = {
    file.name: json.loads(file.read_text("utf-8")) for file in FOLDER.iterdir() if file.name.endswith(".json")
}
REGISTRY = referencing.Registry().with_resources(
    (name, referencing.Resource.from_contents(schema)) for name, schema in SCHEMAS.items()
)
DOC = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
LISTED = dict(re.findall(r"^\| `sparsebench (.*) --json` \| .* \| `(.*)` \|$", DOC, re.MULTILINE))
CELL = ("--instances", "n256-r4", "--seeds", "1")


def held(outcome, name, code=0):
    """Check an outcome against a schema; give the document."""
    assert outcome.code == code, outcome.err
    document = json.loads(outcome.out)
    jsonschema.Draft202012Validator(SCHEMAS[name], registry=REGISTRY).validate(document)
    assert document
    return document


def words(command):
    """Give a command of the docs without its arguments."""
    return tuple(word for word in command.split() if word.islower())


def with_json(command, path=()):
    """Walk the verbs that have ``--json``."""
    if any("--json" in param.opts for param in command.params):
        yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from with_json(command.get_command(context, name), (*path, name))


def test_the_docs_list_every_verb_and_every_schema():
    assert {words(command) for command in LISTED} == set(with_json(root))
    assert set(LISTED.values()) == SCHEMAS.keys()


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one_and_is_strict(name):
    schema = SCHEMAS[name]
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"] == name
    assert schema["title"]
    assert schema["description"]
    loose = [part for part in parts(schema) if part.get("properties") and "additionalProperties" not in part]
    assert loose == []


def parts(schema):
    """Walk a schema."""
    if isinstance(schema, dict):
        yield schema
        for value in schema.values():
            yield from parts(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from parts(value)


def test_the_schema_of_a_row_has_the_rows_columns_and_types():
    properties = SCHEMAS["row.json"]["properties"]
    assert list(properties) == list(COLUMNS) == SCHEMAS["row.json"]["required"]
    types = {str: "string", int: "integer", float: "number", bool: "boolean"}
    for name, (kind, optional) in columns().items():
        told = "object" if name == "packages" else types.get(kind, "array")
        assert properties[name]["type"] == ([told, "null"] if optional else told), name
    assert all(properties[name].get("description") for name in COLUMNS)
    assert Row.__doc__


@pytest.fixture
def rows(cli, here):
    """Have rows of two submissions, one with a router and tags, and of one that fails."""
    write(here / "bad", plain(fit="raise ValueError('bad')"))
    write(here / "mine", routed())
    held(cli("eval", "conditional-tree", *CELL, "--variants", "full", "--traces", "--json"), "rows.json")
    held(cli("eval", "mine", "bad", *CELL, "--json"), "rows.json", 1)
    tagged = ("oracle-router", "--instances", "synthetic-4", "--seeds", "1", "--json")
    first = json.loads(cli("submissions", "show", "oracle-router", "--json").out)["variants"][0]["name"]
    held(cli("eval", *tagged, "--variants", first), "rows.json")
    return held(cli("results", "show", "--json"), "rows.json")


def test_rows_and_boards(cli, rows):
    assert {row["status"] for row in rows} == {"ok", "failed"}
    priced = held(cli("results", "show", "--prices", "macs", "--json"), "rows.json")
    assert len(priced) == len(rows) == 4
    own = held(cli("leaderboard", "show", "--prices", "bit-ops", "--json"), "board.json")
    assert {point["submission"] for point in own["points"]} >= {"mine", "bad"}
    held(cli("leaderboard", "show", "--tasks", "memorization@1", "--json"), "board.json")
    held(cli("leaderboard", "show", "--submissions", "bad", "--json"), "board.json")
    for row in rows:
        assert held(cli("results", "show", row["cell_key"], "--json"), "row.json") == row
    key = next(row["cell_key"] for row in rows if row["submission"] == "conditional-tree")
    held(cli("results", "verify", key, "--replay", "--json"), "verification.json")
    held(cli("results", "verify", "all", "--json"), "verification.json")
    broken = rows[0] | {"ops": "12"}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMAS["row.json"]).validate(broken)


def test_the_published_board(cli):
    store = ROOT / "leaderboard" / "results"
    if not store.exists():
        pytest.skip("a source distribution has no rows")
    found = held(cli("leaderboard", "findings", "-o", store, "--json"), "findings.json")
    assert {finding["topic"] for finding in found} >= {"dense-and-routed", "router", "papers-prices", "input"}
    board = held(cli("leaderboard", "show", "-o", store, "--json"), "board.json")
    assert any(task["pairs"] for task in board["tasks"])
    held(cli("results", "show", "-o", store, "--json"), "rows.json")
    two = ("one-hidden-layer", "conditional-tree")
    compared = held(cli("leaderboard", "compare", *two, "-o", store, "--json"), "comparison.json")
    assert compared["tasks"][0]["ratios"][0]["times"] > 1
    told = held(
        cli("leaderboard", "compare", "oracle-router", "dense-mlp", "-o", store, "--json"), "comparison.json"
    )
    assert [task["verdict"] for task in told["tasks"]] == [None]


def test_tasks(cli):
    listed = held(cli("tasks", "list", "--json"), "tasks.json")
    for task in listed:
        assert held(cli("tasks", "show", task["task"], "--json"), "task.json") == task
    held(cli("tasks", "verify", "memorization@1", "--json"), "task-files.json")
    held(cli("tasks", "check", "memorization@1", "--instances", "n256-r4", "--json"), "task-checks.json")


def test_submissions(cli, here):
    listed = held(cli("submissions", "list", "--json"), "submissions.json")
    assert held(cli("submissions", "--json"), "submissions.json") == listed
    for told in listed:
        one = held(cli("submissions", "show", told["name"], "--json"), "submission.json")
        assert told.items() <= one.items()
    write(here / "bad", plain(fit="raise ValueError('bad')"))
    held(cli("check", "bad", "--json"), "checks.json", 1)
    held(cli("check", "lsh-constant", "--variants", "planes-4", "--json"), "checks.json")


@pytest.mark.parametrize("more", [(), ("--prices", "macs")])
def test_explanations(cli, here, more):
    write(here / "mine", routed())
    held(cli("explain", "mine", "--inputs", "4", *more, "--json"), "explanation.json")
    held(cli("explain", "constant", "--task", "memorization@1", *more, "--json"), "explanation.json")


def test_the_machine(cli):
    held(cli("doctor", "--json"), "doctor.json")
    quick = cli("bench", "ops", "--quick", "--primitive", PLAIN, "--device", "cpu", "--json")
    held(quick, "timings.json", quick.code)  # on a busy machine a time may be one that cannot be believed
    assert quick.code in {0, 1}


def test_studies(cli, monkeypatch, tmp_path):
    monkeypatch.setenv("SPARSEBENCH_CACHE", str(tmp_path))
    (study,) = held(
        cli("reproduce", "k-tanh", "--into", str(tmp_path / "found"), "--json"), "reproductions.json"
    )
    assert [claim["verdict"] for claim in study["claims"]] == ["reproduced", "in part", "not known"]
