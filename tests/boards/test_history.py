"""What may be published over what: versions never meet, and scores of one code stay."""

import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from boards.conftest import files_in, rows_of
from leaderboard.test_board import made
from sparsebench.boards.edition import edition_of
from sparsebench.boards.history import OWN
from sparsebench.boards.publishing import publish
from sparsebench.boards.record import RECORD, Figures, Record, read_record
from sparsebench.errors import IntegrityError, UsageError
from sparsebench.tasks import load_task

ATOM = "{http://www.w3.org/2005/Atom}"
LATER = "2026-02-02T03:04:06.000000+00:00"


def published(rows, folder, **options):
    return publish(edition_of(rows), folder, **options)


def edited(folder, **changes):
    """Change what is published, as if an earlier version had written it."""
    record = json.loads((folder / RECORD).read_text())
    (folder / RECORD).write_text(json.dumps(record | changes))


def feed(folder):
    """Give (kind, title, updated) of each event, and check that identities are unique."""
    root = ET.parse(folder / "feed.xml").getroot()
    entries = root.findall(f"{ATOM}entry")
    identities = [entry.findtext(f"{ATOM}id") for entry in entries] + [root.findtext(f"{ATOM}id")]
    assert len(set(identities)) == len(identities)
    return [
        (
            entry.find(f"{ATOM}category").get("term"),
            entry.findtext(f"{ATOM}title"),
            entry.findtext(f"{ATOM}updated"),
        )
        for entry in entries
    ]


def test_the_feed_tells_what_changes(tmp_path):
    a, b = rows_of("a", 0.5, seeds=3), rows_of("b", 0.75, seeds=3, ended=LATER)
    published(a, tmp_path)
    assert feed(tmp_path) == [("begun", "The board begins", a[0].ended)]
    done = published([*a, *b], tmp_path)
    assert [event.kind for event in done.events] == ["entered", "places"]
    told = feed(tmp_path)
    assert told[:2] == [("places", "Places on memorization@2", LATER), ("entered", "b enters", LATER)]
    text = ET.parse(tmp_path / "feed.xml").getroot().findall(f"{ATOM}entry/{ATOM}content")
    assert text[0].text == "a from 1 to 2"
    assert "memorization@2: 0." in text[1].text
    changed = rows_of("b", 0.75, seeds=3, state="s2", ended=LATER.replace("02-02", "03-03"))
    assert [e.title for e in published([*a, *b, *changed], tmp_path).events] == ["b has other code"]
    assert [event.title for event in published(a, tmp_path).events] == [
        "b leaves",
        "Places on memorization@2",
    ]
    assert len(feed(tmp_path)) == 6


def test_events_are_kept_up_to_a_number(tmp_path, monkeypatch):
    monkeypatch.setattr("sparsebench.boards.history._KEPT", 4)
    a, b = rows_of("a"), rows_of("b")
    published(a, tmp_path)
    for _ in range(3):
        published([*a, *b], tmp_path)
        published(a, tmp_path)
    events = read_record(tmp_path).events
    assert len(events) == 4
    assert [event.number for event in events] == list(range(events[-1].number - 3, events[-1].number + 1))
    feed(tmp_path)


@pytest.mark.parametrize("name", ["scoring_version", "cost_model"])
def test_rows_of_other_versions_never_meet(tmp_path, name):
    published(rows_of("a"), tmp_path)
    edited(tmp_path, **{name: 77})
    before = files_in(tmp_path)
    with pytest.raises(IntegrityError, match=f"holds a board of {name} 77") as caught:
        published(rows_of("a"), tmp_path)
    assert caught.value.exit_code == 4
    assert "--into another folder" in caught.value.help
    assert "--release NAME" in caught.value.help
    assert files_in(tmp_path) == before
    with pytest.raises(IntegrityError, match="never share tables"):
        published(rows_of("a"), tmp_path, accept_changes=True)


def test_rows_by_other_rules_are_not_published_though_their_task_is_not_on_the_board():
    lipschitz = load_task("lipschitz-regression@1")
    name = next(iter(lipschitz.board))
    others = [replace(made("a", task=lipschitz, instance=name, cost_model=77), cell_key="", ended=LATER)]
    edition = edition_of([*rows_of("a"), *others], tasks=("memorization@2",))
    assert {row.cost_model for row in edition.rows} == {edition.board.cost_model}
    assert edition.updated < LATER


def test_a_task_that_has_another_hash_never_meets_itself(tmp_path):
    published(rows_of("a"), tmp_path)
    edited(tmp_path, tasks=[{"ref": "memorization@2", "hash": "sha256:0123456789abcdef"}])
    with pytest.raises(IntegrityError, match=r"memorization@2 \(0123456789ab\)"):
        published(rows_of("a"), tmp_path)


def test_a_release_keeps_the_earlier_tables(tmp_path):
    published([*rows_of("a"), *rows_of("b")], tmp_path)
    edited(tmp_path, cost_model=77)
    (tmp_path / "CNAME").write_text("me.example")
    before = files_in(tmp_path)
    done = published(rows_of("a", 0.75), tmp_path, release="v1")  # another score, by another model of costs
    after = files_in(tmp_path)
    kept = {name.removeprefix("releases/v1/"): text for name, text in after.items() if "releases/" in name}
    assert kept == {name: content for name, content in before.items() if name != "CNAME"}
    assert after["CNAME"] == b"me.example"
    assert "api/v1/entries/b.json" not in after
    assert [event.kind for event in done.events] == ["release", "left"]
    record = read_record(tmp_path)
    assert (record.releases, record.feed) == (["v1"], json.loads(before[RECORD])["feed"])
    assert not any(name.startswith("releases/") for name in record.files)
    index = json.loads(after["api/v1/index.json"])
    assert index["releases"] == [{"name": "v1", "page": "releases/v1/index.html"}]
    published(rows_of("a", 0.75), tmp_path)
    assert files_in(tmp_path) == after


@pytest.mark.parametrize(
    ("release", "told"),
    [("v1", "a release stays what it is"), ("../x", "--release: expected"), ("", "--release: expected")],
)
def test_releases_that_cannot_be_made(tmp_path, release, told):
    published(rows_of("a"), tmp_path)
    published(rows_of("a"), tmp_path, release="v1")
    before = files_in(tmp_path)
    with pytest.raises(UsageError, match=told):
        published(rows_of("a"), tmp_path, release=release)
    assert files_in(tmp_path) == before


def test_there_is_no_release_of_nothing(tmp_path):
    with pytest.raises(UsageError, match="nothing is published"):
        published(rows_of("a"), tmp_path / "public", release="v1")
    assert not (tmp_path / "public").exists()


def test_another_score_of_the_same_code_blocks(tmp_path):
    published([*rows_of("a", 0.5), *rows_of("b", 0.25)], tmp_path)
    before = files_in(tmp_path)
    rows = [*rows_of("a", 0.5), *rows_of("b", 0.375)]
    with pytest.raises(IntegrityError) as caught:
        published(rows, tmp_path)
    assert caught.value.exit_code == 4
    assert caught.value.what.startswith(
        "b is the same code as published, but on memorization@2 its score_plain was"
    )
    assert "score was" in caught.value.what
    assert "--accept-changes" in caught.value.help
    assert files_in(tmp_path) == before
    with pytest.raises(IntegrityError, match="b is the same code"):
        published(rows, tmp_path, release="v1")  # the same rules on the same data: a release hides nothing
    done = published(rows, tmp_path, accept_changes=True)
    assert [event.kind for event in done.events] == ["rescored"]
    assert "b on memorization@2: score_plain was" in done.events[0].text
    assert published(rows, tmp_path).events == ()


def test_the_column_that_changed_is_named(tmp_path):
    published(rows_of("a", 0.5), tmp_path)
    rows = rows_of("a", 0.5)
    nothing = dict.fromkeys(("error", "quality", "ops", "ops_router_free", "memory_bytes"))
    failing = replace(rows[1], status="timeout", reason="slow", **nothing)
    with pytest.raises(IntegrityError, match=r"failed_share was 0, is 0\.5"):
        published([rows[0], failing], tmp_path)
    with pytest.raises(IntegrityError, match="seeds was 2, is 3"):
        published(rows_of("a", 0.5, seeds=3), tmp_path)
    with pytest.raises(IntegrityError, match="instances was 1, is 2"):
        published(rows_of("a", 0.5, instances=("n256-r4", "n4096-r4")), tmp_path)


def test_a_release_for_one_tasks_new_data_hides_no_score_of_another(tmp_path):
    lipschitz = load_task("lipschitz-regression@1")
    name = next(iter(lipschitz.board))

    def both(first, second):
        other = made("a", quality=second, task=lipschitz, instance=name, ops=2.0**9, submission_hash="s")
        return [*rows_of("a", first, seeds=1), replace(other, cell_key="")]

    published(both(0.5, 0.5), tmp_path)
    tasks = json.loads((tmp_path / RECORD).read_text())["tasks"]
    changed = [task | {"hash": "sha256:0"} if "lipschitz" in task["ref"] else task for task in tasks]
    edited(tmp_path, tasks=changed)
    with pytest.raises(IntegrityError, match="on memorization@2 its score_plain was"):
        published(both(0.75, 0.5), tmp_path, release="v1")
    done = published(both(0.5, 0.75), tmp_path, release="v1")
    assert [event.kind for event in done.events] == ["release"]


@pytest.mark.parametrize("spoilt", ["changed", "missing", "a folder"])
def test_only_what_was_published_becomes_a_release(tmp_path, spoilt):
    published(rows_of("a"), tmp_path)
    page = tmp_path / "index.html"
    page.unlink()
    if spoilt == "changed":
        page.write_text("mine")
    if spoilt == "a folder":
        page.mkdir()
    before = files_in(tmp_path)
    with pytest.raises(IntegrityError, match=r"index\.html is not what was published") as caught:
        published(rows_of("a"), tmp_path, release="v1")
    assert caught.value.exit_code == 4
    assert files_in(tmp_path) == before


def test_a_task_that_leaves_the_board_is_told_and_blocks_nothing(tmp_path):
    lipschitz = load_task("lipschitz-regression@1")
    name = next(iter(lipschitz.board))
    other = [made("a", seed=seed, task=lipschitz, instance=name, ops=2.0**9) for seed in range(2)]
    published([*rows_of("a"), *other], tmp_path)
    done = published(rows_of("a"), tmp_path)
    assert [event.kind for event in done.events] == ["tasks"]
    done = published([*rows_of("a"), *other], tmp_path)
    assert [event.title for event in done.events] == ["The board has other tasks"]
    record = json.loads((tmp_path / RECORD).read_text())
    figures = record["entries"]["a"]["tasks"]
    assert set(figures) == {"memorization@2", "lipschitz-regression@2"}


@pytest.mark.parametrize("meanwhile", ["it left", "other code", "another task"])
def test_the_same_code_has_its_score_when_it_is_back(tmp_path, meanwhile):
    lipschitz = load_task("lipschitz-regression@1")
    name = next(iter(lipschitz.board))
    between = {
        "it left": rows_of("b", 0.25),
        "other code": rows_of("a", 0.75, state="s2"),
        "another task": [made("a", task=lipschitz, instance=name, ops=2.0**9, submission_hash="s")],
    }[meanwhile]
    published(rows_of("a", 0.5), tmp_path)
    published(between, tmp_path)
    published(between, tmp_path)
    before = files_in(tmp_path)
    with pytest.raises(IntegrityError, match="a is the same code as published, but on memorization@2 its sc"):
        published(rows_of("a", 0.75), tmp_path)
    assert files_in(tmp_path) == before
    published(rows_of("a", 0.5), tmp_path)
    published(between, tmp_path)
    done = published(rows_of("a", 0.75), tmp_path, accept_changes=True)
    assert "rescored" in {event.kind for event in done.events}
    assert published(rows_of("a", 0.75), tmp_path).events == ()
    edited(tmp_path, cost_model=77)
    published(rows_of("a", 0.5), tmp_path, release="v1")
    assert read_record(tmp_path).earlier == []


def test_what_was_accepted_once_is_accepted(tmp_path):
    lipschitz = load_task("lipschitz-regression@1")
    name = next(iter(lipschitz.board))
    a, b = ([made(who, task=lipschitz, instance=name, ops=2.0**9, submission_hash="s")] for who in ("a", "b"))
    published([*rows_of("a"), *a, *b], tmp_path)
    published([*rows_of("a"), *b], tmp_path, accept_changes=True)
    assert published([*rows_of("a"), *b], tmp_path).events == ()


def test_an_entry_that_leaves_a_task_of_the_board_blocks(tmp_path):
    lipschitz = load_task("lipschitz-regression@1")
    name = next(iter(lipschitz.board))
    a, b = (
        [
            made(who, seed=seed, task=lipschitz, instance=name, ops=2.0**9, submission_hash="s")
            for seed in (0, 1)
        ]
        for who in "ab"
    )
    published([*rows_of("a"), *a, *b], tmp_path)
    with pytest.raises(IntegrityError, match=r"on lipschitz-regression@2 its score was 0\.\d+, is nothing"):
        published([*rows_of("a"), *b], tmp_path)


def test_several_are_counted(tmp_path):
    published([row for name in "abc" for row in rows_of(name, 0.5)], tmp_path)
    with pytest.raises(IntegrityError, match=r"a is the same .* \(and 2 more such entries of tasks\)"):
        published([row for name in "abc" for row in rows_of(name, 0.25)], tmp_path)


def test_changed_code_and_rounding_do_not_block(tmp_path):
    published(rows_of("a", 0.5), tmp_path)
    published(rows_of("a", 0.5 * (1 + 1e-13)), tmp_path)
    done = published(rows_of("a", 0.25, state="s2"), tmp_path)
    assert [event.kind for event in done.events] == ["changed"]


def test_what_is_compared_are_figures_of_an_entrys_own_rows():
    assert set(OWN) == set(Figures.model_fields) - {"rank_best", "rank_worst"}


def test_the_schema_has_the_fields_of_a_record(edition, tmp_path):
    publish(edition, tmp_path)
    schema = json.loads((tmp_path / "api/v1/schema/published.json").read_text())
    assert list(schema["properties"]) == list(Record.model_fields)
    figures = schema["properties"]["entries"]["additionalProperties"]["properties"]["tasks"]
    assert list(figures["additionalProperties"]["properties"]) == list(Figures.model_fields)
