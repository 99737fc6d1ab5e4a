from __future__ import annotations

import functools
import hashlib
import importlib.util
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

from sparsebench.errors import IntegrityError, UsageError
from sparsebench.tasks import list_tasks, load_task
from sparsebench.tasks.croissant.document import (
    AUTHORS,
    KEYWORDS,
    TITLE,
    check_croissant,
    croissant,
    write_croissant,
)
from sparsebench.tasks.croissant.terms import CONTEXT, licences
from sparsebench.tasks.hashing import column_hashes
from sparsebench.tasks.parquet_writing import write_columns

REQUIRED = "SPARSEBENCH_REQUIRE_MLCROISSANT"
TASKS = {task.ref: task for task in list_tasks()}

reading = pytest.mark.filterwarnings(
    # rdflib 7.6 builds a class in its own JSON-LD parser that it has deprecated.
    "ignore:ConjunctiveGraph is deprecated:DeprecationWarning",
    # mlcroissant 1.1.1 calls DataFrame.reset_index in a way that pandas 3.1 has deprecated.
    "ignore:The inplace keyword in DataFrame.reset_index:DeprecationWarning",
)


@pytest.fixture
def mlc():
    """The module mlcroissant, or a skip; where it is required, a failure."""
    if importlib.util.find_spec("mlcroissant") is None:
        reason = "mlcroissant is not installed; ./scripts/check-croissant runs this test with it"
        pytest.fail(reason) if os.environ.get(REQUIRED) else pytest.skip(reason)
    import mlcroissant

    return mlcroissant


@functools.cache
def document(ref):
    return croissant(TASKS[ref])


def by_id(items):
    found = {item["@id"]: item for item in items}
    assert len(found) == len(items)
    return found


def rows(record_set):
    """The inline data of a record set, with the plain names of fields."""
    return [
        {key.removeprefix(f"{record_set['@id']}/"): v for key, v in row.items()} for row in record_set["data"]
    ]


@pytest.fixture
def varied(folder, edit, columns):
    """A task with a real instance of tensors, tags and classes, and with one that is made on first use."""
    tensors = columns | {
        "x": np.arange(30, dtype=np.float32).reshape(5, 3, 2) / 7,
        "y": np.array([0, 1, 2, 0, 1]),
        "tag": np.array([1, 0, 1, 0, 1]),
    }
    write_columns(folder / "real.parquet", tensors)
    hashes = ", ".join(f'{name} = "{value}"' for name, value in column_hashes(tensors).items())
    fake = "sha256:" + "1" * 64
    with (folder / "task.toml").open("a") as manifest:
        manifest.write(f"""
[[instances]]
name = "real"
description = "five tensors"
seed = 8
small = false
board = false
input_shape = [3, 2]
target_dtype = "int64"
classes = 3
domains = ["left", "right"]
splits = {{ train = "real.parquet", valid = "real.parquet", test = "real.parquet" }}
[instances.source]
title = "A collection"
licence = "free for all uses"
url = "https://example.org/collection"
packages = ["collection==1.0"]
[instances.files]
"real.parquet" = {{ {hashes} }}

[[instances]]
name = "large"
description = "many rows"
seed = 9
small = false
board = false
generated = true
input_shape = [2]
target_dtype = "float32"
splits = {{ train = "large.parquet", valid = "large.parquet", test = "large.parquet" }}
[instances.files]
"large.parquet" = {{ id = "{fake}", x = "{fake}", y = "{fake}" }}
""")
    return folder


# Structure


@pytest.mark.parametrize("ref", TASKS)
def test_committed_metadata_say_what_the_tasks_say(ref):
    assert check_croissant(TASKS[ref]) == []


@pytest.mark.parametrize("ref", TASKS)
def test_every_committed_file_is_described_and_no_other(ref):
    task = TASKS[ref]
    files = by_id(document(ref)["distribution"])
    assert set(files) == {path.name for path in task.folder.glob("*.parquet")}
    for name, described in files.items():
        content = (task.folder / described["contentUrl"]).read_bytes()
        assert described["name"] == name
        assert described["sha256"] == hashlib.sha256(content).hexdigest()
        assert described["contentSize"] == f"{len(content)} B"
        assert described["encodingFormat"] == "application/x-parquet"


@pytest.mark.parametrize("ref", TASKS)
def test_every_split_has_a_record_set_and_every_instance_its_hashes(ref):
    task = TASKS[ref]
    sets = by_id(document(ref)["recordSet"])
    committed = [spec for spec in task.own.values() if not spec.generated]
    splits = {
        f"{spec.name}/{split}": (spec, file) for spec in committed for split, file in spec.splits.items()
    }
    assert set(sets) == {"instances", "contents", *splits}
    for name, (spec, file) in splits.items():
        fields = {field["name"]: field for field in sets[name]["field"]}
        assert list(fields) == list(spec.files[file])
        assert {field["source"]["fileObject"]["@id"] for field in fields.values()} == {file}
        assert fields["x"]["arrayShape"] == ",".join(map(str, spec.input_shape))
    assert [row["name"] for row in rows(sets["instances"])] == list(task.own)
    found = {(row["instance"], row["file"], row["column"]): row["hash"] for row in rows(sets["contents"])}
    for name, spec in task.own.items():
        for file, expected in spec.files.items():
            assert {column: found[name, file, column] for column in expected} == expected


@pytest.mark.parametrize("ref", TASKS)
def test_standard_tasks_say_who_made_them_under_which_terms_and_where_to_read_on(ref):
    task, about = TASKS[ref], document(ref)
    sources = list(dict.fromkeys(spec.source for spec in task.own.values() if spec.source))
    assert about["creator"]["name"] == AUTHORS
    assert AUTHORS in about["citeAs"]
    assert TITLE in about["citeAs"]
    assert task.ref in about["citeAs"]
    assert about["identifier"]["value"] == task.hash
    assert (task.folder / about["url"]).is_file()
    assert about["license"] == licences(task.licence, *(source.licence for source in sources))
    assert [work["name"] for work in about.get("isBasedOn", [])] == [source.title for source in sources]
    assert "datePublished" not in about


def test_authors_title_and_keywords_are_those_of_the_citation_file():
    text = (Path(__file__).parents[2] / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r'^title: "(.*)"$', text, re.MULTILINE) == [TITLE]
    assert re.findall(r"^  - name: (.*)$", text, re.MULTILINE) == [AUTHORS]
    keywords = text.partition("keywords:\n")[2]
    assert tuple(re.findall(r"^  - (.*)$", keywords, re.MULTILINE)) == KEYWORDS


def test_real_data_keep_their_own_licence_and_name_their_source(varied):
    about = croissant(load_task(varied))
    terms = {"@type": "sc:CreativeWork", "name": "free for all uses"}
    assert about["license"] == ["https://spdx.org/licenses/CC0-1.0.html", terms]
    (work,) = about["isBasedOn"]
    assert (work["name"], work["url"]) == ("A collection", "https://example.org/collection")
    assert work["description"] == "Read from collection==1.0, for real"
    assert work["license"] == terms
    files = by_id(about["distribution"])
    assert files["real.parquet"]["license"] == terms
    assert files["test.parquet"]["license"] == "https://spdx.org/licenses/CC0-1.0.html"


@pytest.mark.parametrize(
    ("texts", "value"),
    [
        (["MIT"], "https://spdx.org/licenses/MIT.html"),
        (["MIT", "MIT"], "https://spdx.org/licenses/MIT.html"),
        (
            ["CC0-1.0 AND MIT", "MIT"],
            ["https://spdx.org/licenses/CC0-1.0.html", "https://spdx.org/licenses/MIT.html"],
        ),
        (["MIT OR Apache-2.0"], {"@type": "sc:CreativeWork", "name": "MIT OR Apache-2.0"}),
        (["free AND for all"], {"@type": "sc:CreativeWork", "name": "free AND for all"}),
    ],
)
def test_licences_become_addresses_where_they_have_one(texts, value):
    assert licences(*texts) == value


def test_instances_made_on_first_use_are_told_of_without_a_file(varied):
    about = croissant(load_task(varied))
    assert "large.parquet" not in by_id(about["distribution"])
    sets = by_id(about["recordSet"])
    assert [name for name in sets if name.startswith("large")] == []
    assert "so without files here: large." in about["description"]
    told = {row["name"]: row for row in rows(sets["instances"])}["large"]
    assert (told["seed"], told["generated"], told["board"]) == (9, True, False)
    hashes = [row["hash"] for row in rows(sets["contents"]) if row["instance"] == "large"]
    assert hashes == ["sha256:" + "1" * 64] * 3


def test_tensors_classes_and_domains_are_described(varied):
    fields = {f["name"]: f for f in by_id(croissant(load_task(varied))["recordSet"])["real/test"]["field"]}
    assert list(fields) == ["id", "x", "y", "tag"]
    assert (fields["x"]["isArray"], fields["x"]["repeated"], fields["x"]["arrayShape"]) == (True, True, "3,2")
    assert fields["y"]["dataType"] == ["cr:Int64", "cr:Label"]
    assert fields["y"]["description"] == "Class, from 0 to 2."
    assert fields["tag"]["description"] == "Domain: 0 left, 1 right."


def test_a_task_of_ones_own_is_not_said_to_be_ours(folder):
    about = croissant(load_task(folder))
    assert [key for key in ("creator", "citeAs", "url") if key in about] == []


def test_the_seed_of_a_sealed_instance_is_null(edit):
    manifest = edit(("seed = 7", 'commitment = "sha256:' + "2" * 64 + '"'))
    sets = by_id(croissant(load_task(manifest))["recordSet"])
    assert [row["seed"] for row in rows(sets["instances"])] == [None]


def test_documents_do_not_share_their_context(folder):
    croissant(load_task(folder))["@context"]["@base"] = "elsewhere"
    assert "@base" not in CONTEXT


# Writing and checking


def test_what_is_written_is_the_same_each_time_and_checks(folder):
    path = write_croissant(load_task(folder))
    first = path.read_bytes()
    assert write_croissant(load_task(folder)).read_bytes() == first
    assert first.startswith(b'{\n "@context": {\n')
    assert first.endswith(b"\n}\n")
    assert json.loads(first) == croissant(load_task(folder))
    assert check_croissant(load_task(folder)) == []


def test_checking_names_what_differs(folder, columns):
    task = load_task(folder)
    path = write_croissant(task)
    about = json.loads(path.read_text())
    about["version"] = "2.0.0"
    about["distribution"][1]["sha256"] = "0"
    about["distribution"].append({"@id": "more.parquet"})
    about["recordSet"][0]["data"][0]["instances/seed"] = 7.0
    del about["keywords"][-1], about["license"]
    path.write_text(json.dumps(about))
    digest = hashlib.sha256((folder / "test.parquet").read_bytes()).hexdigest()
    mend = "run `sparsebench tasks croissant`, which writes it"
    assert check_croissant(task) == [
        f'{path}: version: expected "1.0.0", got "2.0.0"; {mend}',
        f'{path}: license: expected "https://spdx.org/licenses/CC0-1.0.html", got nothing; {mend}',
        f'{path}: keywords[4]: expected "nmse", got nothing; {mend}',
        f'{path}: distribution[test.parquet].sha256: expected "{digest}", got "0"; {mend}',
        f'{path}: distribution[more.parquet]: expected nothing, got {{"@id": "more.parquet"}}; {mend}',
        f"{path}: recordSet[instances].data[0].instances/seed: expected 7, got 7.0; {mend}",
    ]


def test_checking_sees_bytes_of_a_file_that_changed(folder, columns):
    task = load_task(folder)
    write_croissant(task)
    with (folder / "test.parquet").open("ab") as stream:
        stream.write(b"!")
    assert [line.split(": ")[1] for line in check_croissant(task)] == [
        "distribution[test.parquet].contentSize",
        "distribution[test.parquet].sha256",
    ]


@pytest.mark.parametrize(
    ("content", "got"),
    [
        (None, "got No such file"),
        (b"{", "got Expecting property name"),
        (b"\xff", "got 'utf-8' codec"),
        (b"[]", "document"),
    ],
)
def test_metadata_that_cannot_be_read_are_told_of(folder, content, got):
    if content is not None:
        (folder / "croissant.json").write_bytes(content)
    (line,) = check_croissant(load_task(folder))
    assert got in line
    assert line.endswith("; run `sparsebench tasks croissant`, which writes it")


def test_a_missing_file_is_an_error_that_names_it(folder):
    (folder / "test.parquet").unlink()
    with pytest.raises(IntegrityError, match=r"test\.parquet: expected a Parquet file, got No such file"):
        write_croissant(load_task(folder))
    assert not (folder / "croissant.json").exists()


def test_a_place_that_cannot_be_written_to_is_an_error(folder):
    (folder / "croissant.json").mkdir()
    with pytest.raises(UsageError, match=r"croissant\.json: cannot be written: Is a directory"):
        write_croissant(load_task(folder))


# What mlcroissant says


@reading
@pytest.mark.parametrize("ref", TASKS)
def test_committed_metadata_validate(ref, mlc, caplog):
    dataset = mlc.Dataset(jsonld=TASKS[ref].folder / "croissant.json")
    issues = dataset.metadata.issues
    missing = 'Property "https://schema.org/datePublished" is recommended, but does not exist.'
    assert (issues.errors, issues.warnings) == (set(), {f"[Metadata({TASKS[ref].name})] {missing}"})
    assert [record.name for record in caplog.records] == ["absl"]  # that one warning: the context is in order


@reading
def test_a_task_of_ones_own_validates(varied, mlc):
    dataset = mlc.Dataset(jsonld=write_croissant(load_task(varied)))
    assert dataset.metadata.issues.errors == set()
    missing = {
        re.search(r"schema\.org/(\w+)|croissant/(\w+)", line)[0] for line in dataset.metadata.issues.warnings
    }
    assert missing == {"schema.org/datePublished", "croissant/citeAs"}


@reading
@pytest.mark.parametrize("split", ["train", "test"])
def test_records_of_a_committed_file_are_ours(split, mlc):
    task = TASKS["memorization@1"]
    dataset = mlc.Dataset(jsonld=task.folder / "croissant.json")
    records = list(dataset.records(f"n256-r4/{split}"))
    ours = getattr(task.load("n256-r4"), split)
    for name, values in ours.columns.items():
        read = np.array([record[f"n256-r4/{split}/{name}"] for record in records])
        assert read.dtype == values.dtype
        np.testing.assert_array_equal(read, values)


@reading
def test_records_of_tensors_are_flat_and_take_the_shape_that_is_told(varied, mlc):
    write_croissant(load_task(varied))
    dataset = mlc.Dataset(jsonld=varied / "croissant.json")
    records = list(dataset.records("real/test"))
    ours = load_task(varied).load("real").test
    read = {name: np.array([record[f"real/test/{name}"] for record in records]) for name in ours.columns}
    assert read["x"].shape == (5, 6)
    (x,) = (f for f in dataset.metadata.record_sets[-1].fields if f.name == "x")
    np.testing.assert_array_equal(read["x"].reshape(5, *x.array_shape_tuple), ours.x)
    for name in ("id", "y", "tag"):
        np.testing.assert_array_equal(read[name], getattr(ours, name))


@reading
def test_a_file_that_changed_is_refused(folder, mlc):
    write_croissant(load_task(folder))
    with (folder / "test.parquet").open("ab") as stream:
        stream.write(b"!")
    dataset = mlc.Dataset(jsonld=folder / "croissant.json")
    with pytest.raises(mlc.GenerationError) as raised:
        list(dataset.records("one/test"))
    assert "is not identical with the reference" in str(raised.value.__cause__)


@reading
def test_inline_records_can_be_read(varied, mlc):
    about = croissant(load_task(varied))
    write_croissant(load_task(varied))
    dataset = mlc.Dataset(jsonld=varied / "croissant.json")
    for name in ("instances", "contents"):
        inline = by_id(about["recordSet"])[name]
        read = list(dataset.records(name))
        assert [{key.removeprefix(f"{name}/"): v for key, v in row.items()} for row in read] == rows(inline)
