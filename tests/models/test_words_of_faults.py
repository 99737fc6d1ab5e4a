"""What pydantic finds wrong with a manifest is told in our words, whatever it is."""

import datetime as dt
import itertools
import re

import pytest
from pydantic import ValidationError

from models.test_submission_manifest import HEAD, VARIANT
from sparsebench.errors import ManifestError
from sparsebench.ground import faults
from sparsebench.ground.wording import KINDS, expectation
from sparsebench.meter import pricelist
from sparsebench.models.manifest import Manifest, read_manifest
from sparsebench.tasks import list_tasks
from sparsebench.tasks.manifest import Manifest as TaskManifest

# What a key of a TOML file may hold.
VALUES = (
    *(0, -1, 1 << 40, 1 << 70, 1.5, float("nan"), float("inf"), -0.5, 1e300, True, "", "a", "A B", "x" * 200),
    *("a\nb", "\ud800", [], [1], ["x"], [[]], [{}], {}, {"a": 1}, {"": ""}),
    *(dt.date(2026, 1, 1), dt.time(1), dt.datetime(2026, 1, 1, tzinfo=dt.UTC)),
)
PYDANTIC = re.compile(
    r"[Ii]nput should|[Vv]alue should|should have|should match|a valid |instance of|dictionary"
)
TASK = {
    "task": {"name": "t", "version": 1, "title": "T", "statement": "S", "metric": "nmse", "licence": "L"},
    "box": {"log2_ops_low": 0.0, "log2_ops_high": 4.0, "reason": "R"},
    "instances": [
        {
            "name": "one",
            "description": "D",
            "seed": 1,
            "commitment": "sha256:" + "0" * 64,
            "small": True,
            "board": True,
            "generated": False,
            "classes": 2,
            "domains": ["d"],
            "facts": {"f": 1.0},
            "source": {"title": "T", "licence": "L", "url": "https://a.b", "packages": ["p==1"]},
            "input_shape": [4],
            "target_dtype": "float32",
            "splits": {"train": "a.parquet", "valid": "b.parquet", "test": "c.parquet"},
            "files": {"a.parquet": {"id": "sha256:" + "0" * 64}},
        }
    ],
}
SUBMISSION = {
    "name": "n",
    "title": "T",
    "authors": ["A"],
    "license": "L",
    "entry": "m:N",
    "tasks": ["memorization@1"],
    "reference": "",
    "include": ["../common/x.py"],
    "requires": ["r"],
    "gpu": "none",
    "uses_tags": False,
    "allow_nan": False,
    "variants": [{"name": "v", "width": 1}, {"name": "w", "fit": "v"}],
}
PRICES = {"name": "mine", "like": "ops", "ops": {"mul": 1.0}, "phases": {"router": 0.5}}


def places(value, path=()):
    """Walk everything that a document holds."""
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from places(part, (*path, key))


def with_value(document, path, value):
    """Give the document with another value in one place."""
    if not path:
        return value
    key, *rest = path
    copy = dict(document) if isinstance(document, dict) else list(document)
    copy[key] = with_value(copy[key], rest, value)
    return copy


def without(document, path):
    """Give the document without one of its keys, and with another."""
    parent = document
    for key in path[:-1]:
        parent = parent[key]
    less = {key: value for key, value in parent.items() if key != path[-1]} | {"another": 1}
    return with_value(document, path[:-1], less)


def wrong(document):
    """Give the document with every wrong value in every place."""
    for path, value in itertools.product(list(places(document)), VALUES):
        yield with_value(document, path, value)
    for path in places(document):
        if isinstance(path[-1], str):
            yield without(document, path)


def words(model, document):
    """Give the kinds of faults of a document, and what is said of them."""
    try:
        model.model_validate(document)
    except ValidationError as error:
        return {fault["type"] for fault in error.errors()}, error
    return set(), None


@pytest.mark.parametrize(
    ("model", "document"), [(TaskManifest, TASK), (Manifest, SUBMISSION), (pricelist._Document, PRICES)]
)
def test_every_fault_is_told_in_our_words(tmp_path, model, document):
    assert words(model, document) == (set(), None)
    seen = set()
    for broken in wrong(document):
        kinds, error = words(model, broken)
        seen |= kinds
        if error is None:
            continue
        if model is Manifest:
            told = str(faults_of(tmp_path / "submission.toml", error))
            assert "\n" not in told
        else:
            told = "\n".join(f"{f.key}: {f.expected}; {f.mend}" for f in faults.model_faults(error, model))
        theirs = {fault["msg"] for fault in error.errors() if fault["type"] != "value_error"}
        assert not any(message in told for message in theirs), told
        assert not PYDANTIC.search(told), told
    assert seen - {"value_error"} <= KINDS.keys()
    assert {"missing", "extra_forbidden", "string_type"} <= seen


def faults_of(path, error):
    from sparsebench.models.faults import faults_of
    from sparsebench.models.manifest import _FORMS

    return faults_of(path, error, list(Manifest.model_fields), _FORMS).what


def test_a_kind_that_nobody_knows_is_told_too():
    assert expectation({"type": "url_scheme", "msg": "URL scheme should be https"}) == "another value"


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            '["memorization@1"]',
            '["memorization"]',
            "tasks: expected name@version, got 'memorization': did you mean memorization@2?",
        ),
        (
            '["memorization@1"]',
            '["Memorisation"]',
            "tasks: expected name@version, got 'Memorisation': did you mean memorization@2?",
        ),
        ('["memorization@1"]', '["zzz"]', "tasks: expected name@version, got 'zzz'"),
        ('["memorization@1"]', '["a@1"]\ntsks = 1', "tsks: not a key that is known: did you mean tasks?"),
        ('["memorization@1"]', '"memorization@1"', "tasks: expected a list, got 'memorization@1'"),
        ('["memorization@1"]', "[]", "tasks: expected a list of 1 or more, got []"),
        ('"a-name"', "3", "name: expected text in quotes, got 3"),
        (
            '"a-name"',
            '"A Name"',
            "name: expected lower-case letters and digits joined by hyphens, got 'A Name'",
        ),
        ('"submission:Model"', '"submission.py"', "entry: expected module:name, got 'submission.py'"),
        (
            '["memorization@1"]',
            '["a@1"]\ngpu = "maybe"',
            "gpu: expected 'none', 'optional' or 'required', got 'maybe'",
        ),
        ('["memorization@1"]', '["a@1"]\nuses_tags = 1', "uses_tags: expected true or false, got 1"),
    ],
)
def test_a_submissions_fault_in_full(tmp_path, old, new, line):
    file = tmp_path / "submission.toml"
    file.write_text(HEAD.replace(old, new) + VARIANT, encoding="utf-8")
    with pytest.raises(ManifestError) as caught:
        read_manifest(file)
    assert caught.value.what == f"{file}: {line}"
    assert caught.value.help.startswith("mend these keys; the keys are name, title,")


def test_of_several_versions_the_newest_is_meant(monkeypatch):
    from sparsebench.models.faults import near_task

    *_, found = (task for task in list_tasks() if task.name == "memorization")
    assert near_task("memorization") == found.ref
    assert near_task("") == ""
