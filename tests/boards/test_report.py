"""The report that one workflow hands to another is a stranger's: numbers and names get through, no more."""

import json
import os
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparsebench.boards.comment import comment_on
from sparsebench.boards.report import MOST_BYTES, REPORT, Report, read_report
from sparsebench.errors import IntegrityError

HOSTILE = "[x](http://evil) <img src=x> @everyone `${{ secrets.X }}`"
GOOD = {
    "format": 1,
    "head": "a" * 40,
    "submission": "my-router",
    "submission_hash": "b" * 64,
    "scoring_version": 2,
    "cost_model": 2,
    "tasks": [
        {
            "task": "memorization@2",
            "instances": 1,
            "seeds": 2,
            "score": 0.5,
            "low": 0.25,
            "high": 0.75,
            "exact": False,
            "rank_best": 1,
            "rank_worst": 2,
            "ranked": 4,
            "router_share": 0.95,
            "failed_share": 0.5,
            "variants": [{"variant": "experts-8", "ops": 104.0, "quality": 0.5, "cells": 2, "ok": 1}],
            "beside": [
                {
                    "submission": "one-hidden-layer",
                    "role": "reference",
                    "score": 0.4,
                    "difference": 0.1,
                    "verdict": "better",
                }
            ],
        }
    ],
}


def placed(folder, document):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / REPORT).write_text(json.dumps(document), encoding="utf-8")
    return folder


def paths(document, at=()):
    """Walk the places of a document."""
    if isinstance(document, dict):
        for name, value in document.items():
            yield from paths(value, (*at, name))
    elif isinstance(document, list):
        for number, value in enumerate(document):
            yield from paths(value, (*at, number))
    else:
        yield at


def changed(document, at, value):
    """Give a copy with another value at a place."""
    copy = json.loads(json.dumps(document))
    inner = copy
    for step in at[:-1]:
        inner = inner[step]
    inner[at[-1]] = value
    return copy


def test_a_report_is_answered(tmp_path):
    text = comment_on(read_report(placed(tmp_path, GOOD), head="a" * 40))
    lines = [re.sub(r" *\| *", "|", line) for line in text.splitlines()]
    assert "### my-router" in lines
    assert "|memorization@2|0.500 (0.250 to 0.750)|1-2|4|95 %|50.0 %|1|2|" in lines
    assert any("|one-hidden-layer|dense reference|0.400|+0.100|better|" in line for line in lines)
    assert any("|experts-8|104|0.500|1 of 2|" in line for line in lines)
    assert "Cells that fail count as the worst value" in text
    assert Report.model_validate_json(read_report(tmp_path).content()) == read_report(tmp_path)


def test_what_is_not_ranked_has_no_place(tmp_path):
    task = GOOD["tasks"][0] | {"rank_best": None, "rank_worst": None, "router_share": None, "beside": []}
    text = comment_on(read_report(placed(tmp_path, GOOD | {"tasks": [task | {"failed_share": 0.0}]})))
    assert re.search(r"\| - +\| 4 +\| - +\| 0\.0 %", text)
    assert "Beside other entries" not in text
    assert "Cells that fail" not in text


@pytest.mark.parametrize("at", list(paths(GOOD)), ids=lambda at: ".".join(map(str, at)))
@pytest.mark.parametrize("value", [HOSTILE, {}, [HOSTILE], -5, 1e30, "a\n\n# b"])
def test_no_field_takes_anything_else(tmp_path, at, value):
    with pytest.raises(IntegrityError) as caught:
        read_report(placed(tmp_path, changed(GOOD, at, value)))
    assert caught.value.exit_code == 4
    told = caught.value.what + caught.value.help
    assert not any(part in told for part in ("evil", "everyone", "secrets", "\n"))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "true", '"0.5"'])
def test_numbers_are_numbers(tmp_path, number):
    text = json.dumps(GOOD).replace('"score": 0.5', f'"score": {number}')
    assert text != json.dumps(GOOD)
    (tmp_path / REPORT).write_text(text)
    with pytest.raises(IntegrityError, match=r"tasks\.0\.score"):
        read_report(tmp_path)


def test_other_fields_are_not_repeated(tmp_path):
    for at in ((HOSTILE,), ("tasks", 0, HOSTILE)):
        with pytest.raises(IntegrityError) as caught:
            read_report(placed(tmp_path, changed(GOOD, at, 1)))
        assert "evil" not in str(caught.value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.lists(inner, max_size=3)
    )
)
@settings(max_examples=50)
def test_any_document_is_refused_or_made_of_our_letters(tmp_path_factory, document):
    folder = placed(tmp_path_factory.mktemp("artifact"), document)
    with pytest.raises(IntegrityError):
        read_report(folder)


def test_files_that_are_none_are_refused(tmp_path):
    with pytest.raises(IntegrityError, match="cannot read"):
        read_report(tmp_path)
    (tmp_path / REPORT).write_bytes(b" " * (MOST_BYTES + 1))
    with pytest.raises(IntegrityError, match="expected at most"):
        read_report(tmp_path)
    (tmp_path / REPORT).write_bytes(b"\xff{")
    with pytest.raises(IntegrityError, match="expected JSON"):
        read_report(tmp_path)
    (tmp_path / REPORT).unlink()
    (tmp_path / REPORT).mkdir()
    with pytest.raises(IntegrityError):
        read_report(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="no links, and no pipes")
def test_links_and_pipes_are_refused(tmp_path):
    secret = placed(tmp_path / "elsewhere", GOOD) / REPORT
    folder = tmp_path / "artifact"
    folder.mkdir()
    (folder / REPORT).symlink_to(secret)
    with pytest.raises(IntegrityError):
        read_report(folder)
    (folder / REPORT).unlink()
    os.mkfifo(folder / REPORT)
    with pytest.raises(IntegrityError, match="regular file"):
        read_report(folder)


def test_a_comment_is_as_long_as_a_host_takes(tmp_path):
    variants = [GOOD["tasks"][0]["variants"][0] | {"variant": f"{k:064}"} for k in range(16)]
    beside = [GOOD["tasks"][0]["beside"][0] | {"submission": f"{k:064}"} for k in range(5)]
    task = GOOD["tasks"][0] | {"variants": variants, "beside": beside, "task": "x" * 64 + "@2"}
    text = comment_on(read_report(placed(tmp_path, GOOD | {"tasks": [task] * 32})))
    assert len(text) < 65536
    assert "they are left out" in text
    assert "Cells that fail" in text


def test_nothing_else_of_the_artifact_is_looked_at(tmp_path):
    placed(tmp_path, GOOD)
    (tmp_path / "comment.md").write_text(HOSTILE)
    assert "evil" not in comment_on(read_report(tmp_path))


def test_a_report_is_about_the_commit_that_the_event_names(tmp_path):
    with pytest.raises(IntegrityError, match="about another commit"):
        read_report(placed(tmp_path, GOOD), head="c" * 40)
