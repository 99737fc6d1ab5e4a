"""Studies run step by step, go on where they were stopped, and write what they found."""

import csv
import json

import pytest

from leaderboard.html_read import parsed
from sparsebench.errors import NotFoundError
from sparsebench.studies import STUDIES, find_study, running
from sparsebench.studies.intervals import line_through, mean_interval, ratio_interval
from sparsebench.studies.pages import document_of, files_of, index_of
from sparsebench.studies.plots import axis_of, draw
from sparsebench.studies.records import Claim, Line, Outcome, Plot, Study, Table, Verdict, verdict
from sparsebench.studies.running import Run, write_studies
from sparsebench.studies.steps import Steps

HOSTILE = "<script>alert(1)</script> | `a` =cmd()"


def made(name="some", says="It holds."):
    claim = Claim(says=says, source="here", measured="1", asks="1", verdict=Verdict.REPRODUCED)
    plot = Plot(title=says, across="x", up="y", lines=(Line(says, [(1.0, 2.0), (2.0, 3.0)]),))
    outcome = Outcome(claims=(claim,), plot=plot, tables=(Table("t", ("a", says), [(1, says)]),))
    study = Study(name=name, title="t", reference="r", about="a", measure=lambda _: outcome)
    return study, outcome


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_says_what_it_is(name):
    study = find_study(name)
    assert study.name == name
    assert "arXiv:" in study.reference
    assert study.about.endswith(".")


def test_a_study_that_is_not_there_is_named():
    with pytest.raises(NotFoundError, match="study"):
        find_study("overlpa")


def test_a_step_is_computed_once_by_the_same_code(tmp_path):
    asked = []

    def compute():
        asked.append(1)
        return {"a": [1.5, 2]}

    for _ in range(2):
        assert Steps(tmp_path, "code").take("one", compute) == {"a": [1.5, 2]}
    assert len(asked) == 1
    assert Steps(tmp_path, "other code").take("one", compute) == {"a": [1.5, 2]}
    assert Steps(tmp_path, "other code", quick=True).take("one", compute) == {"a": [1.5, 2]}
    assert len(asked) == 3
    (tmp_path / "one.json").write_text("half")
    assert Steps(tmp_path, "other code", quick=True).take("one", compute) == {"a": [1.5, 2]}
    assert len(asked) == 4


def test_a_step_that_fails_leaves_nothing(tmp_path):
    def fails():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Steps(tmp_path, "code").take("one", fails)
    with pytest.raises(ValueError, match="JSON"):
        Steps(tmp_path, "code").take("one", lambda: float("nan"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("parts", "expected"),
    [([True, True], "reproduced"), ([True, False], "in part"), ([False], "not reproduced")],
)
def test_the_parts_of_a_claim_make_its_verdict(parts, expected):
    assert verdict(parts) == expected


def test_nothing_compared_is_no_verdict():
    with pytest.raises(ValueError, match="parts"):
        verdict([])


def test_a_study_runs_and_is_taken_over(tmp_path, monkeypatch):
    monkeypatch.setenv("SPARSEBENCH_CACHE", str(tmp_path))
    told = []
    first = Run().measure("k-tanh", told.append)
    assert told
    told.clear()
    assert Run().measure("k-tanh", told.append) == first
    assert told == []
    assert Run(fresh=True).measure("k-tanh", told.append) == first
    assert told


def test_pages_say_what_was_found_and_names_are_inert(tmp_path):
    study, outcome = made(says=HOSTILE)
    files = files_of(study, outcome, quick=True)
    assert set(files) == {"README.md", "figure.svg", "result.json", "table.csv"}
    assert "<script>" not in files["README.md"].replace("<!--", "")
    assert "quick run" in files["README.md"]
    assert not list(parsed(files["figure.svg"]).all("script"))
    rows = list(csv.reader(files["table.csv"].splitlines()))
    assert rows[0][1].startswith("<script>")
    assert not any(cell.startswith("=") for row in rows for cell in row)
    document = json.loads(files["result.json"])
    assert document == json.loads(json.dumps(document_of(study, outcome, quick=True)))
    assert document["claims"][0]["verdict"] == "reproduced"
    written = write_studies(tmp_path, {study: outcome}, quick=True)
    assert written[0] == tmp_path / "some" / "README.md"
    assert not (tmp_path / "README.md").exists()  # a list of all studies needs all of them


def test_the_list_has_every_claim_and_counts_verdicts(tmp_path):
    found = {find_study(name): made(name)[1] for name in STUDIES}
    text = index_of(found, quick=False)
    assert f"{len(STUDIES)} claims: {len(STUDIES)} reproduced." in text
    assert all(f"({name}/README.md)" in text for name in STUDIES)
    assert (tmp_path / "README.md") in write_studies(tmp_path, found, quick=False)


def test_the_same_plot_is_the_same_picture_and_its_marks_are_where_numbers_are():
    _, outcome = made()
    assert draw(outcome.plot) == draw(outcome.plot)
    linear = axis_of([0.0, 9.3])
    assert [label for _, label in linear.ticks] == ["0", "2", "4", "6", "8", "10"]
    logs = axis_of([60.0, 2048.0], 2.0)
    assert (logs.low, logs.high) == (5.0, 11.0)
    assert logs.place(64.0) == pytest.approx(6.0)
    assert logs.ticks[1][1] == "64"


def test_intervals_and_lines_of_known_numbers():
    assert mean_interval([1.0, 3.0]).mean == 2.0
    assert mean_interval([1.0, 3.0]).high == pytest.approx(2.0 + 12.706204736)
    with pytest.raises(ValueError, match="two"):
        mean_interval([1.0])
    assert ratio_interval([2.0, 8.0], [1.0, 1.0]).mean == pytest.approx(4.0)
    fit = line_through([(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)])
    assert (fit.slope, fit.intercept, fit.determined) == pytest.approx((2.0, 1.0, 1.0))


def test_what_other_submissions_gave_is_not_taken_over(tmp_path, monkeypatch):
    """A study may fit shipped submissions: their code is a part of what a step runs."""
    folder = tmp_path / "submissions" / "one"
    folder.mkdir(parents=True)
    monkeypatch.setattr(running, "shipped_root", lambda: folder.parent)
    seen = set()
    for name in ("submission.py", "submission.toml"):
        for content in ("a", "b"):
            (folder / name).write_text(content)
            seen.add(running._code())
    assert len(seen) == 4
