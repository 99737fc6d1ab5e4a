"""A published folder: complete, valid, deterministic, all or nothing, and nobody else's files."""

import json
import os
import random
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boards.conftest import MEMORIZATION, files_in, rows_of
from sparsebench.boards.edition import BESIDE, edition_of, file_name, task_file_name
from sparsebench.boards.publishing import publish, tables_of
from sparsebench.boards.record import RECORD, first_record, read_record, sha256
from sparsebench.errors import IntegrityError, NotFoundError, UsageError
from sparsebench.leaderboard import csv, document, markdown
from sparsebench.results import ResultStore

jsonschema = pytest.importorskip("jsonschema", reason="pip install jsonschema")
referencing = pytest.importorskip("referencing", reason="pip install jsonschema")

HOSTILE = '<script>alert(1)</script> | `x` {%} "q" & \x1b[31m \u202e ]]> =1+1'
TAGS = {
    *("feed", "id", "title", "updated", "author", "name", "link", "entry", "content", "category"),
    *("svg", "rect", "g", "text", "path", "desc", "line", "circle", "tspan", "style", "defs", "clipPath"),
}
TABLES = ["areas.csv", "board.csv", "board.md", "feed.xml", "index.html", "points.csv", "rows.parquet"]


def described(folder):
    """Check each JSON file of a published folder against the schema published beside it; name the pairs."""
    schemas = {path.name: json.loads(path.read_text()) for path in (folder / "api/v1/schema").iterdir()}
    registry = referencing.Registry().with_resources(
        (name, referencing.Resource.from_contents(schema)) for name, schema in schemas.items()
    )
    kinds = {"api/v1/board.json": "board.json", "api/v1/index.json": "index.json", RECORD: "published.json"}
    found = {}
    for path in folder.rglob("*.json"):
        name = path.relative_to(folder).as_posix()
        if "/schema/" in name:
            jsonschema.Draft202012Validator.check_schema(schemas[path.name])
            continue
        kind = kinds.get(name, "entry.json" if "/entries/" in name else "badge.json")
        validator = jsonschema.Draft202012Validator(schemas[kind], registry=registry)
        validator.validate(json.loads(path.read_bytes()))
        found[name] = kind
    assert set(found.values()) == set(schemas)
    return found


def test_everything_that_a_host_needs_is_there(edition, tmp_path):
    done = publish(edition, tmp_path / "deep" / "public")
    found = files_in(done.folder)
    assert sorted(found) == sorted(done.files)
    assert {*TABLES, RECORD, "board.bib", "badge.svg", "badge.json"} <= found.keys()
    assert {"badges/memorization-2.svg", "badges/memorization-2.json"} <= found.keys()
    assert markdown(edition.board).encode() in found["board.md"]
    assert found["board.csv"] == csv(edition.board).scores.encode()
    assert json.loads(found["api/v1/board.json"]) == json.loads(json.dumps(document(edition.board)))
    record = read_record(done.folder)
    assert record.files == {name: sha256(content) for name, content in found.items() if name != RECORD}


def test_the_page_has_the_title_and_links_the_files(edition, tmp_path):
    publish(edition, tmp_path)
    page = (tmp_path / "index.html").read_text()
    assert "<title>My board</title>" in page
    assert "<h1>My board</h1>" in page
    links = [link for link in re.findall('href="([^"]*)"', page) if not link.startswith("#")]
    assert set(links) == set(BESIDE)
    assert all((tmp_path / link).is_file() for link in links)
    assert '<link rel="alternate" type="application/atom+xml" href="feed.xml">' in page


def test_the_documents_are_what_their_schemas_say(edition, tmp_path):
    found = described(publish(edition, tmp_path).folder)
    assert {"api/v1/entries/a.json", "api/v1/entries/b.json", "badge.json"} <= found.keys()


def test_an_entrys_document_is_its_part_of_the_board(edition, tmp_path):
    publish(edition, tmp_path)
    told = json.loads((tmp_path / "api/v1/entries/a.json").read_text())
    board = json.loads((tmp_path / "api/v1/board.json").read_text())
    for part in ("scores", "points", "areas"):
        assert told[part] == [record for record in board[part] if record["submission"] == "a"] != []
    assert [(cell["seed"], cell["quality"]) for cell in told["cells"]] == [(0, 0.75), (1, 0.75)]
    (curve,) = told["curves"]
    low, high = (float(getattr(MEMORIZATION.box, f"log2_ops_{side}")) for side in ("low", "high"))
    ((cost, quality),) = curve["steps"]
    assert quality * (high - cost) / (high - low) == pytest.approx(told["areas"][0]["area"])


def test_published_rows_make_the_published_board_again(edition, tmp_path):
    publish(edition, tmp_path / "public")
    rows = tmp_path / "store" / "rows"
    rows.mkdir(parents=True)
    (rows / "all.parquet").write_bytes((tmp_path / "public" / "rows.parquet").read_bytes())
    again = edition_of(ResultStore(tmp_path / "store").rows())
    assert document(again.board) == document(edition.board)


@given(st.randoms(use_true_random=False))
@settings(max_examples=10)
def test_the_same_rows_make_the_same_bytes(tmp_path_factory, order):
    rows = [*rows_of("a", 0.75), *rows_of("b", 0.5, ended="2026-01-03T03:04:06.000000+00:00")]
    first, second = (tmp_path_factory.mktemp("public") for _ in range(2))
    publish(edition_of(rows), first)
    order.shuffle(rows)
    again = edition_of([*rows, rows[0]])
    assert len(again.rows) == len(rows)
    publish(again, second)
    assert files_in(first) == files_in(second)


def test_publishing_again_changes_nothing(edition, tmp_path):
    publish(edition, tmp_path)
    before = files_in(tmp_path)
    done = publish(edition, tmp_path)
    assert (done.events, done.removed) == ((), ())
    assert files_in(tmp_path) == before


@given(name=st.one_of(st.just(HOSTILE), st.text(min_size=1, max_size=40)))
@settings(max_examples=25)
def test_names_of_strangers_are_names_everywhere(name):
    name = name.encode("utf-8", "replace").decode()
    rows = [*rows_of("a"), *rows_of(name, 0.75)]
    edition = edition_of(rows, title=name)
    files = tables_of(edition, first_record(edition))
    for path, content in files.items():
        assert re.fullmatch(r"[a-z0-9][a-z0-9.-]*(/[a-z0-9][a-z0-9.-]*)*", path)
        if path.endswith((".xml", ".svg")):
            tags = {element.tag.rpartition("}")[2] for element in ET.fromstring(content).iter()}
            assert tags <= TAGS
        elif path.endswith(".json"):
            json.loads(content)
    for path in ("index.html", "board.md", "board.bib"):
        assert not re.search("<script>alert|[\x1b\u202e]", files[path].decode())
    bib = files["board.bib"].decode()
    assert bib.count("{") == bib.count("}")
    assert bib.count("\n") == 5


def test_the_feed_tells_of_hostile_names(tmp_path):
    publish(edition_of(rows_of("a")), tmp_path)
    publish(edition_of([*rows_of("a"), *rows_of(HOSTILE)]), tmp_path)
    feed = ET.parse(tmp_path / "feed.xml")
    titles = [title.text for title in feed.iter("{http://www.w3.org/2005/Atom}title")]
    assert any("<script>alert(1)</script>" in title for title in titles)
    described(tmp_path)


def test_a_record_reads_as_it_is_whatever_names_are_in_it(tmp_path):
    publish(edition_of([*rows_of("a"), *rows_of("\u202eb")]), tmp_path)
    assert (tmp_path / RECORD).read_bytes().isascii()
    assert "\u202eb" in read_record(tmp_path).entries


def test_boards_that_begin_alike_have_feeds_of_their_own(tmp_path):
    later = rows_of("a", ended="2026-01-03T03:04:06.000000+00:00")
    addresses = ("https://me.example/", "https://you.example/")
    editions = [edition_of(rows_of("a"), base_url=url) for url in addresses] + [edition_of(later)]
    feeds = {first_record(edition).feed for edition in editions}
    assert len(feeds) == len(editions)
    assert (
        first_record(editions[0]).feed == first_record(edition_of(rows_of("a"), base_url=addresses[0])).feed
    )


@given(st.text(min_size=1, max_size=80), st.text(min_size=1, max_size=80))
def test_each_name_has_a_file_of_its_own(one, other):
    names = [file_name(each) for each in (one, other, "a-b", "entry--0123456789abcdef")]
    assert all(re.fullmatch(r"[a-z0-9]+(-{1,2}[a-z0-9]+)*", name) for name in names)
    assert (names[0] == names[1]) == (one == other)
    assert names[2:] != [names[0]] * 2
    assert file_name("a-b") == "a-b"
    assert file_name("con").startswith("entry--")
    assert file_name("entry--0123456789abcdef") != "entry--0123456789abcdef"
    assert task_file_name("memorization@2") == "memorization-2"


def test_addresses_are_whole_where_the_address_is_known(edition, tmp_path):
    publish(edition, tmp_path / "with")
    publish(replace(edition, base_url=""), tmp_path / "without")
    index = json.loads((tmp_path / "with" / "api/v1/index.json").read_text())
    assert index["board"] == "https://me.example/board/api/v1/board.json"
    assert 'href="https://me.example/board/feed.xml"' in (tmp_path / "with" / "feed.xml").read_text()
    bare = json.loads((tmp_path / "without" / "api/v1/index.json").read_text())
    for told in (
        bare["board"],
        bare["rows"],
        bare["feed"],
        *(entry["document"] for entry in bare["entries"]),
    ):
        assert (tmp_path / "without" / told).is_file()


@pytest.mark.parametrize(
    "url", ["ftp://x/", "https://x/?q", "https://x/#a", "x", 'https://x/"><b>', "https://"]
)
def test_other_addresses_are_refused(rows, url):
    with pytest.raises(UsageError, match="expected the address of a folder"):
        edition_of(rows, base_url=url)


def test_badges_name_who_may_lead(tmp_path):
    rows = [row for name in "abc" for row in rows_of(name, 0.5)]
    publish(edition_of(rows), tmp_path)
    badge = json.loads((tmp_path / "badges/memorization-2.json").read_text())
    assert badge["label"] == "memorization@2"
    assert re.fullmatch(r"a, b and 1 more 0\.\d{3}", badge["message"])
    publish(edition_of(rows_of("a", uses_tags=True)), tmp_path / "told")
    badge = json.loads((tmp_path / "told" / "badges/memorization-2.json").read_text())
    assert badge["message"] == "no entry yet"


def test_leftover_files_are_removed_and_files_of_others_stay(edition, tmp_path):
    publish(edition, tmp_path)
    (tmp_path / "CNAME").write_text("me.example\n")
    (tmp_path / "api/v1/entries/mine.json").write_text("{}")
    without = edition_of(rows_of("a", 0.75))
    done = publish(without, tmp_path)
    assert done.removed == ("api/v1/entries/b.json",)
    assert not (tmp_path / "api/v1/entries/b.json").exists()
    assert (tmp_path / "CNAME").read_text() == "me.example\n"
    assert (tmp_path / "api/v1/entries/mine.json").read_text() == "{}"
    (tmp_path / "api/v1/entries/mine.json").unlink()
    assert [earlier.submission for earlier in read_record(tmp_path).earlier] == ["b"]
    described(tmp_path)


@pytest.mark.parametrize("name", ["index.html", "api/v1/board.json"])
def test_a_file_of_somebody_else_is_not_overwritten(edition, tmp_path, name):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("mine")
    before = files_in(tmp_path)
    with pytest.raises(UsageError, match="is there already, and is of no earlier publication"):
        publish(edition, tmp_path)
    assert files_in(tmp_path) == before


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
@pytest.mark.parametrize("link", ["api", "badges"])
def test_nothing_is_written_through_a_link(edition, tmp_path, link):
    public, elsewhere = tmp_path / "public", tmp_path / "elsewhere"
    public.mkdir()
    elsewhere.mkdir()
    (public / link).symlink_to(elsewhere, target_is_directory=True)
    with pytest.raises(UsageError, match="behind a symbolic link"):
        publish(edition, public)
    assert files_in(elsewhere) == {}


@pytest.mark.parametrize("place", ["rows", "mine"])
def test_folders_of_something_else_are_refused(edition, tmp_path, place):
    folder = tmp_path / place
    folder.mkdir()
    (folder / ("a.parquet" if place == "rows" else "submission.toml")).write_text("")
    with pytest.raises(UsageError, match="it is the folder of"):
        publish(edition, folder)


@pytest.mark.parametrize("again", [True, False])
@pytest.mark.parametrize("fails", [RECORD, "board.csv", "api/v1/index.json"])
def test_a_failure_half_way_changes_nothing(edition, tmp_path, monkeypatch, fails, again):
    folder = tmp_path / "public"
    if again:
        publish(edition_of(rows_of("a", 0.75)), folder)
    before = files_in(tmp_path)
    genuine = Path.replace

    def failing(self, target):
        if Path(target) == folder / fails and not failing.failed:
            failing.failed = True
            raise OSError(28, os.strerror(28))
        return genuine(self, target)

    failing.failed = False
    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(UsageError, match="No space left"):
        publish(edition, folder)
    assert failing.failed
    assert files_in(tmp_path) == before
    assert folder.exists() == again


def test_after_a_crash_publishing_again_mends(edition, tmp_path):
    whole = publish(edition, tmp_path / "whole").folder
    half = tmp_path / "half"
    publish(edition_of(rows_of("a", 0.75), title="My board", base_url=edition.base_url), half)
    (half / RECORD).write_bytes((whole / RECORD).read_bytes())  # the record comes first
    publish(edition, half)
    assert files_in(half) == files_in(whole)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda record: [], "expected a table"),
        (lambda record: record | {"format": 2}, "format: expected"),
        (lambda record: record | {"more": 1}, "more: expected"),
        (lambda record: record | {"files": {"../secret": "0" * 64}}, "files"),
        (lambda record: record | {"feed": "urn:uuid:" + "-" * 36}, "feed"),
        (lambda record: record | {"files": {"/etc/passwd": "0" * 64}}, "files"),
        (lambda record: record | {"files": {"a/../../b": "0" * 64}}, "files"),
        (lambda record: record | {"files": {".git/config": "0" * 64}}, "files"),
        (lambda record: record | {"releases": ["../.."]}, "releases"),
        (lambda record: record | {"scoring_version": None}, "scoring_version"),
    ],
)
def test_a_damaged_record_is_refused(edition, tmp_path, change, told):
    publish(edition, tmp_path)
    record = json.loads((tmp_path / RECORD).read_text())
    (tmp_path / RECORD).write_text(json.dumps(change(record)))
    before = files_in(tmp_path)
    with pytest.raises(IntegrityError, match=re.escape(told)) as caught:
        publish(edition, tmp_path)
    assert caught.value.exit_code == 4
    assert files_in(tmp_path) == before


def test_a_record_that_is_no_json_is_refused(edition, tmp_path):
    (tmp_path / RECORD).write_text("{")
    with pytest.raises(IntegrityError, match="the file: expected JSON"):
        publish(edition, tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_a_record_behind_a_link_is_refused(edition, tmp_path):
    publish(edition, tmp_path / "public")
    (tmp_path / "public" / RECORD).rename(tmp_path / "record")
    (tmp_path / "public" / RECORD).symlink_to(tmp_path / "record")
    with pytest.raises(IntegrityError, match="is a link"):
        publish(edition, tmp_path / "public")


def test_there_is_nothing_to_publish_without_rows_of_a_board():
    with pytest.raises(NotFoundError):
        edition_of(rows_of("a", variant="v+x=1"))


def test_rows_of_other_states_and_tries_are_not_an_entrys_cells():
    kept = rows_of("a", 0.75, state="s2", ended="2026-01-05T03:04:06.000000+00:00")
    others = [*rows_of("a", 0.5), *rows_of("a", 0.5, seeds=7)[6:]]
    rows = [*kept, *others]
    random.Random(0).shuffle(rows)
    edition = edition_of(rows)
    (entry,) = edition.board.entries
    assert edition.state(entry) == "s2"
    assert edition.counting(entry) == kept
