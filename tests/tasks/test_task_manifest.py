from __future__ import annotations

import pytest

from sparsebench.errors import ManifestError, NotFoundError
from sparsebench.tasks import Box, Source, TaskInfo, load_task
from sparsebench.tasks.manifest import InstanceTable, TaskTable
from sparsebench.tasks.records import METRICS, TARGET_DTYPES


def test_a_valid_manifest_becomes_a_task(folder):
    task = load_task(folder)
    assert (task.name, task.version, task.ref, task.metric) == ("tiny", 1, "tiny@1", "nmse")
    assert (task.title, task.statement, task.licence) == ("A tiny task", "Guess.", "CC0-1.0")
    assert task.box == Box(0.0, 4.5)
    assert task.info == {"one": TaskInfo("tiny@1", "nmse", (2,), "float32")}
    spec = task.instances["one"]
    assert (spec.seed, spec.small, spec.board, spec.input_shape) == (7, True, True, (2,))
    assert (spec.generated, spec.streamed, spec.classes, spec.domains) == (False, False, None, ())
    assert (spec.facts, spec.source, spec.commitment) == ({}, None, None)
    assert list(spec.splits) == ["train", "valid", "test"]


@pytest.mark.parametrize(
    ("old", "new", "what", "mend"),
    [
        (
            'title = "A tiny task"\n',
            "",
            "task.title: expected one line of text, got nothing",
            "add the key 'title'",
        ),
        (
            '"nmse"',
            '"mse"',
            "task.metric: expected 'nmse', 'recall' or 'accuracy', got 'mse'",
            "set it to 'nmse', 'recall' or 'accuracy'",
        ),
        (
            "version = 1",
            "version = 0",
            "task.version: expected a number of at least 1, got 0",
            "whole number",
        ),
        (
            "version = 1",
            'version = "1"',
            "task.version: expected a whole number, got '1'",
            "whole number from 1",
        ),
        (
            "seed = 7",
            "seed = 0xffffffffffffffff",
            "instances[0].seed: expected a number below",
            "whole number",
        ),
        (
            "seed = 7",
            "seed = true",
            "instances[0].seed: expected a whole number, got True",
            "whole number from 0",
        ),
        (
            "= 4.5",
            "= nan",
            "box.log2_ops_high: expected a finite number, got nan",
            "log2 of operations, 0 to 64",
        ),
        ("= 4.5", "= -0.0", "box.log2_ops_high: expected more than log2_ops_low = 0.0, got -0.0", "exchange"),
        ("= 4.5", "= 65", "box.log2_ops_high: expected a number of at most 64, got 65", "0 to 64"),
        (
            "small = true",
            'small = "yes"',
            "instances[0].small: expected true or false, got 'yes'",
            "true where",
        ),
        ("[2]", "[]", "instances[0].input_shape: expected", "the shape of one input, such as [4]"),
        (
            "[2]",
            "[0]",
            "instances[0].input_shape[0]: expected a number of at least 1, got 0",
            "such as [4]",
        ),
        (
            "\nseed",
            "\nsmal = 1\nseed",
            "instances[0].smal: expected one of the keys name,",
            "did you mean 'small'?",
        ),
        (
            "[box]",
            "[prices]\n[box]",
            "prices: expected one of the keys task, box, continues, instances, got",
            "remove it",
        ),
        ('"float32"', '"float64"', "instances[0].target_dtype: expected 'float32' or 'int64'", "set it to"),
        (
            'name = "tiny"',
            'name = "Tiny"',
            "task.name: expected a name: lower-case letters and digits joined by hyphens, got 'Tiny'",
            "change it",
        ),
    ],
)
def test_a_fault_names_key_expected_got_and_mend(edit, old, new, what, mend):
    manifest = edit((old, new))
    with pytest.raises(ManifestError) as caught:
        load_task(manifest)
    assert caught.value.what.startswith(f"{manifest}: {what}")
    assert "\n" not in caught.value.what
    assert mend in caught.value.help


def test_all_faults_come_at_once(edit):
    manifest = edit(
        ('name = "tiny"\n', ""),
        ("version = 1", "version = 1.5"),
        ("log2_ops_low = 0.0", "log2_ops_low = 5"),
        ("seed = 7", "seed = -7\nsede = 7"),
        ('valid = "learn.parquet"', 'valid = "valid.parquet"'),
        ('"test.parquet" = { id = "sha256:', '"test.parquet" = { id = "md5:'),
    )
    whole = ", ".join(f'{name} = "sha256:{"0" * 64}"' for name in ("id", "x", "y"))
    manifest.write_text(manifest.read_text() + f'"extra.parquet" = {{ {whole} }}\n')
    with pytest.raises(ManifestError) as caught:
        load_task(manifest)
    first, *lines = caught.value.what.splitlines()
    assert first == f"{manifest}: 8 faults"
    keys = sorted(line.split(":")[0].strip() for line in lines)
    assert keys == [
        "box.log2_ops_high",
        'instances[0].files."extra.parquet"',
        'instances[0].files."test.parquet".id',
        "instances[0].sede",
        "instances[0].seed",
        "instances[0].splits.valid",
        "task.name",
        "task.version",
    ]
    assert all("expected" in line and ", got " in line and "; " in line for line in lines)


def test_two_instances_may_not_share_a_name(edit):
    manifest = edit()
    text = manifest.read_text()
    manifest.write_text(text + text[text.index("[[instances]]") :])
    with pytest.raises(
        ManifestError, match=r"instances\[1\].name: expected a name of its own, got 'one' again"
    ):
        load_task(manifest)


@pytest.mark.parametrize(
    "name", ["../test.parquet", "/tmp/test.parquet", "a/b.parquet", "test.csv", ".parquet"]
)
def test_files_must_lie_beside_the_manifest(edit, name):
    manifest = edit(('test = "test.parquet"', f'test = "{name}"'), ('"test.parquet" =', f'"{name}" ='))
    with pytest.raises(ManifestError, match=r"expected a file 'NAME.parquet' beside it, got"):
        load_task(manifest)


@pytest.mark.parametrize(
    "text", ["", "instances = 3", "task = []\nbox = 1", "[[instances]]\nsplits = 1\nfiles = [1]"]
)
def test_files_of_another_form_are_manifest_errors(folder, text):
    (folder / "task.toml").write_text(text)
    with pytest.raises(
        ManifestError, match=r"task: expected the table \[task\], got|task: expected a table, got"
    ):
        load_task(folder)


def test_broken_toml_and_no_toml(folder):
    (folder / "task.toml").write_text("[task\n")
    with pytest.raises(ManifestError, match=r"task.toml: expected TOML, got .*line 1"):
        load_task(folder)
    (folder / "task.toml").write_bytes(b'name = "\xff"')
    with pytest.raises(ManifestError, match=r"task.toml: expected TOML, got .*utf-8"):
        load_task(folder)
    for text in ("[" * 5000, f"a = {'1' * 5000}"):
        (folder / "task.toml").write_text(text)
        with pytest.raises(ManifestError, match=r"task.toml: expected TOML, got "):
            load_task(folder)
    (folder / "task.toml").unlink()
    with pytest.raises(NotFoundError, match=r"task.toml: expected a manifest, got No such file"):
        load_task(folder)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('name = "tiny"', 'name = "teeny"'),
        ("version = 1", "version = 2"),
        ('"nmse"', '"recall"'),
        ("= 4.5", "= 4.25"),
        ("board = true", "board = false"),
        ('name = "one"', 'name = "uno"'),
        ('test = "test.parquet"', 'test = "learn.parquet"'),
    ],
)
def test_what_scores_depend_on_changes_the_task_hash(folder, edit, old, new):
    before = load_task(folder).hash
    pairs = [(old, new)]
    if old.startswith("test"):
        text = (folder / "task.toml").read_text()
        pairs.append((text[text.index('"test.parquet" =') :], ""))
    assert load_task(edit(*pairs)).hash != before


def test_prose_and_file_names_do_not_change_the_hashes(folder, edit):
    before = load_task(folder)
    after = load_task(
        edit(
            ("A tiny task", "A small task"),
            ("Guess.", "Think."),
            ("five rows", "5 rows"),
            ("= 0.0", "= 0"),
            ('test = "test.parquet"', 'test = "exam.parquet"'),
            ('"test.parquet" =', '"exam.parquet" ='),
        )
    )
    assert after.hash == before.hash
    assert after.instances["one"].hash == before.instances["one"].hash


WHOLE = """
small = true
classes = 3
domains = ["a", "b"]
facts = { bayes_accuracy = 0.9, lipschitz = 2.0 }
"""
SOURCE = """
[instances.source]
title = "Digits"
licence = "MIT"
url = "https://example.org/digits"
packages = ["digits==1.0", "debian:digits==1.0-1"]

[instances.files]"""


def test_all_that_an_instance_may_say(edit):
    manifest = edit(("\nsmall = true\n", WHOLE), ('"float32"', '"int64"'), ("\n[instances.files]", SOURCE))
    manifest.write_text(manifest.read_text().replace('y = "sha', f'tag = "sha256:{"0" * 64}", y = "sha'))
    task = load_task(manifest)
    spec = task.instances["one"]
    assert (spec.classes, spec.domains, spec.facts) == (
        3,
        ("a", "b"),
        {"bayes_accuracy": 0.9, "lipschitz": 2.0},
    )
    assert spec.source == Source(
        "Digits", "MIT", "https://example.org/digits", ("digits==1.0", "debian:digits==1.0-1")
    )
    assert task.info["one"] == TaskInfo("tiny@1", "nmse", (2,), "int64", 3, 2)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("seed = 7\n", "", "instances[0].seed: expected either seed or commitment, got neither"),
        (
            "small = true",
            "small = true\nclasses = 2",
            "instances[0].classes: expected labels of int64, got 'float32'",
        ),
        (
            "small = true",
            'small = true\ndomains = ["a"]',
            'instances[0].files."learn.parquet": expected hashes of id, tag, x, y, got of id, x, y',
        ),
    ],
)
def test_faults_between_keys(edit, old, new, what):
    with pytest.raises(ManifestError) as caught:
        load_task(edit((old, new)))
    assert what in caught.value.what


def test_a_file_without_hashes_is_a_draft(folder, edit):
    text = (folder / "task.toml").read_text()
    line = next(line for line in text.splitlines() if line.startswith('"test.parquet"'))
    manifest = edit((line, '"test.parquet" = {}'))
    with pytest.raises(ManifestError, match="expected hashes of id, x, y, got of none") as caught:
        load_task(manifest)
    assert caught.value.help == "run `sparsebench tasks freeze`"
    assert load_task(manifest, draft=True).instances["one"].files["test.parquet"] == {}


def test_the_lists_of_words_agree():
    assert TaskTable.model_fields["metric"].annotation.__args__ == METRICS
    assert InstanceTable.model_fields["target_dtype"].annotation.__args__ == TARGET_DTYPES
