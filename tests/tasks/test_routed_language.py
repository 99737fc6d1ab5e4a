# ruff: noqa: RUF001 - letters of many scripts look alike
from __future__ import annotations

import importlib.util
import itertools
import sys
import unicodedata
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsebench.tasks.sources import missing_packages
from sparsebench.tasks.standard import tasks_root

FOLDER = tasks_root() / "routed-classification" / "v1"
MISSING = missing_packages(["babel==2.19.0", "django==5.2.19"])
needs_packages = pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)}")


def module(name):
    """Load a module of the generator, which finds its siblings under their plain names."""
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    loaded = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


TEXT, SOURCES, LANGUAGE = (module(name) for name in ("language_text", "language_sources", "language"))
for name in ("language_text", "language_sources", "language"):
    del sys.modules[name]


class Spec:
    name, seed = "language-id", 5


def tag(name):
    return list(TEXT.DOMAINS).index(name)


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("Straße — Nr. 7!", "strasse nr"),
        ("%(count)d résumés, %s; {name}&nbsp;<b>GROSS</b> http://a.b/c x@y.z", "résumés gross"),
        ("e\u0301te\u0301", "été"),
        ("100% sure, 5 %d", "sure"),
        ("मराठी 12", "मराठी"),
        ("می\u200cخواهم", "میخواهم"),
        ("\u200f", ""),
        ("l'été  d’or", "l été d or"),
    ],
)
def test_only_letters_and_their_marks_are_kept(raw, kept):
    assert TEXT.clean(raw) == kept


@given(st.text())
def test_clean_texts_stay_as_they_are(raw):
    text = TEXT.clean(raw)
    assert not text.startswith(" ")
    assert not text.endswith(" ")
    assert "  " not in text
    assert all(c == " " or unicodedata.category(c)[0] in "LM" for c in text)
    assert unicodedata.is_normalized("NFC", text)


def test_texts_are_cut_to_the_positions():
    assert TEXT.cut("a" * 30) == "a" * 24
    assert TEXT.cut("a" * 23 + " bc") == "a" * 23
    assert TEXT.cut("abc") == "abc"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("été", "latin"),
        ("привет abc", "cyrillic"),
        ("سلام", "arabic"),
        ("मराठी", "devanagari"),
        ("中文", "east-asian"),
        ("日本のカナ", "east-asian"),
        ("한국어", "east-asian"),
        ("ไทย", "brahmic"),
        ("বাংলা", "brahmic"),
        ("ελλάδα", "other"),
        ("አማርኛ", "other"),
    ],
)
def test_the_domain_is_that_of_most_letters(text, name):
    assert TEXT.domain(text) == tag(name)


@pytest.mark.parametrize("text", ["", " ", "abва", "\u0301", "𐐀𐐁"])
def test_what_has_no_domain(text):
    assert TEXT.domain(text) == -1


def test_each_script_is_in_one_domain():
    scripts = [script for scripts in TEXT.DOMAINS.values() for script in scripts.split()]
    assert len(scripts) == len(set(scripts)) == len(TEXT.TAGS)


def test_near_duplicates_have_one_skeleton():
    assert TEXT.skeleton("été d or") == TEXT.skeleton("ete dor") == "etedor"
    assert TEXT.skeleton("abc") != TEXT.skeleton("abd")


def test_the_mixer_is_splitmix64():
    """The first outputs for seed 1234567, as published for implementations of SplitMix64."""
    state = np.array([1234567, 1234567 + 0x9E3779B97F4A7C15], dtype=np.uint64)
    assert TEXT.mix(state).tolist() == [6457827717110365317, 3203168211198807973]


def test_signs_are_the_lowest_bits():
    key = np.array([[0], [77]], dtype=np.uint64)
    got = TEXT.signs(key, 2, 8)
    assert (got.shape, got.dtype) == ((2, 1, 8), np.int8)
    for row in range(2):
        bits = int(TEXT.mix(TEXT.mix(key[row]) + np.uint64(2))[0])
        assert got[row, 0].tolist() == [2 * (bits >> i & 1) - 1 for i in range(8)]


def test_embeddings_are_frozen():
    x = TEXT.embed(["né", "中" * 24])
    assert (x.shape, x.dtype) == ((2, 24, 16), np.int8)
    assert not x[0, 2:].any(), "beyond the text"
    assert set(np.unique(x[0, :2])) == set(np.unique(x[1])) == {-1, 1}
    assert ["".join("+" if v > 0 else "-" for v in position) for position in x[0, :2]] == [
        "++++-+-+----++++",
        "-+-++++++++++--+",
    ]


def test_a_feature_depends_on_block_character_or_trigram():
    x = TEXT.embed(["abcab", "zbcxé"])
    block, character, trigram = (slice(0, 6), slice(6, 11), slice(11, 16))
    np.testing.assert_array_equal(x[0, 0], TEXT.embed(["ab"])[0, 0])
    # b between a and c, twice b alone the same.
    np.testing.assert_array_equal(x[0, 1, block], x[1, 1, block])
    np.testing.assert_array_equal(x[0, 1, character], x[1, 1, character])
    assert (x[0, 1, trigram] != x[1, 1, trigram]).any()
    # c has the same neighbour b on the left, and another one on the right.
    assert (x[0, 2, trigram] != x[1, 2, trigram]).any()
    # All of Basic Latin is one block; é is of the next.
    assert (x[0, :5, block] == x[0, 0, block]).all()
    assert (x[1, 4, block] != x[0, 0, block]).any()


def test_blocks_are_large_from_kana_on():
    codes = np.array([0, 0x7F, 0x80, 0x2FFF, 0x3000, 0x3FFF, 0x4E00, 0x1F600], dtype=np.uint64)
    assert TEXT.block(codes).tolist() == [0, 0, 0x80, 0x2F80, 0x3000, 0x3000, 0x4000, 0x1F000]


def test_locales():
    wanted = ["en", "sr_Latn", "hi_Latn", "zh_Hant", "pt_BR", "sr_Latn_RS", "zh_Latn", "en_US_POSIX"]
    assert [name for name in wanted if SOURCES.is_wanted(name)] == ["en", "sr_Latn", "zh_Hant"]
    assert [SOURCES.language(name) for name in ("sr_Latn", "no", "nb", "pt_BR")] == ["sr", "nb", "nb", "pt"]


def test_leaves_are_the_strings_within():
    class Alias(dict):
        def __getitem__(self, key):
            if key == "dangling":
                raise KeyError(key)
            return super().__getitem__(key)

    tree = Alias(a="one", b={"c": "two", "d": {1: "three"}}, dangling="none", e=4)
    assert list(SOURCES.leaves(tree)) == ["one", "two", "three"]


def test_translations_are_what_differs_from_the_message():
    messages = [
        (("yes",), ("ja",)),
        (("no",), ("no",)),
        (("%d day", "%d days"), ("%d Tag", "")),
        (("x",), ()),
    ]
    assert list(SOURCES.translations("de", messages)) == ["ja", "%d Tag"]
    assert list(SOURCES.translations("en", messages)) == ["yes", "no", "%d day", "%d days", "x"]
    assert list(SOURCES.translations("en_GB", messages)) == []


def test_ambiguous_short_and_foreign_strings_are_left_out():
    strings = [
        ("de", "Montag!"), ("de", "montag"), ("de", "Hotel"), ("fr", "HOTEL"), ("de", "Tag"),
        ("zh", "星期一"), ("zh", "周一"), ("en", "𐐀𐐁𐐂𐐃𐐄"), ("fr", "x" * 30), ("ru", "понедельник"),
    ]  # fmt: skip
    rows = LANGUAGE.unambiguous(strings)
    assert [tuple(row) for row in rows] == [
        ("montag", "de", tag("latin")),
        ("x" * 24, "fr", tag("latin")),
        ("понедельник", "ru", tag("cyrillic")),
        ("星期一", "zh", tag("east-asian")),
    ]
    assert LANGUAGE.unambiguous(reversed(strings)) == rows


def test_rows_that_look_alike_are_left_out():
    rows = [LANGUAGE.Row(text, "de", 0) for text in ("eins", "zwei", "zwei", "drei")]
    assert [row.text for row in LANGUAGE.distinct(rows)] == ["eins", "drei"]


def rows_of(number, language, tag=0):
    words = ("".join(letters) for letters in itertools.product("abcdefghijklmnopqrstuvwxyz", repeat=3))
    return [LANGUAGE.Row(f"{language} {word}", language, tag) for word in itertools.islice(words, number)]


def test_languages_are_balanced():
    rows = [*rows_of(299, "few"), *rows_of(300, "enough"), *rows_of(1500, "many"), *rows_of(299, "many", 1)]
    drawn = LANGUAGE.balanced(rows, np.random.default_rng(0))
    assert drawn == sorted(set(drawn))
    assert set(drawn) <= set(rows)
    assert Counter((row.language, row.tag) for row in drawn) == {("enough", 0): 300, ("many", 0): 1000}
    assert drawn == LANGUAGE.balanced(rows, np.random.default_rng(0))
    assert drawn != LANGUAGE.balanced(rows, np.random.default_rng(1))


def test_near_duplicates_stay_together():
    plain = rows_of(1000, "l")
    accented = [row._replace(text=row.text.replace("a", "á")) for row in plain]
    parts = LANGUAGE.split(sorted({*plain, *accented}), np.random.default_rng(0))
    assert list(parts) == ["train", "valid", "test"]
    assert sorted(row for rows in parts.values() for row in rows) == sorted({*plain, *accented})
    groups = {name: {TEXT.skeleton(row.text) for row in rows} for name, rows in parts.items()}
    assert {name: len(skeletons) for name, skeletons in groups.items()} == {
        "train": 800,
        "valid": 80,
        "test": 120,
    }
    assert all(rows != sorted(rows) for rows in parts.values()), "shuffled"


def test_columns():
    rows = [LANGUAGE.Row("abc", "fr", 0), LANGUAGE.Row("где", "be", 1)]
    columns = LANGUAGE.columns(rows, ["be", "fr"], 7)
    assert list(columns) == ["id", "x", "y", "tag"]
    assert [columns[key].tolist() for key in ("id", "y", "tag")] == [[7, 8], [1, 0], [0, 1]]
    assert [columns[key].dtype for key in columns] == [np.int64, np.float32, np.int64, np.int64]
    np.testing.assert_array_equal(columns["x"], TEXT.embed(["abc", "где"]))


def test_building_from_given_strings(monkeypatch):
    raw = [("de", row.text) for row in rows_of(400, "de")]
    letters = {latin: chr(ord("а") + i) for i, latin in enumerate("abcdefghijklmnopqrstuvwxyz")}
    # Words twice: those that differ in one letter could have one embedding.
    cyrillic = [
        ("ru", f"{row.text} {row.text}".translate(str.maketrans(letters))) for row in rows_of(400, "ru")
    ]
    monkeypatch.setattr(LANGUAGE, "babel_strings", lambda: iter(raw))
    monkeypatch.setattr(LANGUAGE, "django_strings", lambda: iter(cyrillic))
    files = LANGUAGE.build(Spec)
    assert list(files) == [f"language-id-{split}.parquet" for split in ("train", "valid", "test")]
    np.testing.assert_array_equal(np.concatenate([c["id"] for c in files.values()]), np.arange(800))
    for columns in files.values():
        np.testing.assert_array_equal(columns["y"], columns["tag"])  # de is 0 and Latin, ru is 1 and Cyrillic


@needs_packages
@pytest.mark.slow
def test_the_packages_have_the_strings():
    parts = LANGUAGE.candidates(Spec)
    rows = [row for part in parts.values() for row in part]
    assert {name: len(part) for name, part in parts.items()} == {
        "train": 122_648,
        "valid": 12_250,
        "test": 18_397,
    }
    assert len({row.text for row in rows}) == len(rows)
    assert len({row.language for row in rows}) == 170
    assert {
        pair for pair, n in Counter((r.tag, r.language) for r in rows).items() if not 300 <= n <= 1000
    } == set()
    assert Counter(row.tag for row in rows) == {
        0: 85_204,
        1: 17_151,
        2: 9_880,
        3: 6_801,
        4: 4_000,
        5: 17_870,
        6: 12_389,
    }
    skeletons = [{TEXT.skeleton(row.text) for row in part} for part in parts.values()]
    assert not skeletons[0] & skeletons[1]
    assert not (skeletons[0] | skeletons[1]) & skeletons[2]
