"""``submission.toml``: valid ones are read, and every fault of a wrong one is named at once."""

import re

import pytest

from sparsebench.errors import ManifestError
from sparsebench.models.manifest import read_manifest
from sparsebench.scoring import MOST_VARIANTS

HEAD = """
[submission]
name = "a-name"
title = "A title"
authors = ["somebody"]
license = "Apache-2.0"
entry = "submission:Model"
tasks = ["memorization@1"]
"""
VARIANT = """
[[variants]]
name = "v"
"""


def read(tmp_path, text):
    file = tmp_path / "submission.toml"
    file.write_text(text, encoding="utf-8")
    return read_manifest(file)


def fault(tmp_path, text):
    with pytest.raises(ManifestError) as caught:
        read(tmp_path, text)
    assert str(tmp_path / "submission.toml") in caught.value.what
    assert "\n" not in caught.value.what
    assert caught.value.help
    return caught.value


def test_a_valid_one_is_read_with_its_defaults(tmp_path):
    manifest = read(tmp_path, HEAD + VARIANT)
    assert (manifest.name, manifest.entry, manifest.tasks) == (
        "a-name",
        "submission:Model",
        ["memorization@1"],
    )
    assert (manifest.reference, manifest.requires, manifest.gpu) == ("", [], "optional")
    assert manifest.uses_tags is False
    assert read(tmp_path, HEAD + "uses_tags = true\n" + VARIANT).uses_tags is True
    assert [variant.name for variant in manifest.variants] == ["v"]
    assert manifest.variants[0].settings == {}


def test_settings_keep_their_types(tmp_path):
    text = HEAD + VARIANT + 'planes = 8\nwidth = 0.5\nreuse = true\nkind = "relu"\n'
    settings = read(tmp_path, text).variants[0].settings
    assert settings == {"planes": 8, "width": 0.5, "reuse": True, "kind": "relu"}
    assert [type(value) for value in settings.values()] == [int, float, bool, str]


def test_every_fault_is_named_at_once(tmp_path):
    text = (
        HEAD.replace('"a-name"', '"A Name"')
        .replace('"submission:Model"', '"submission.py"')
        .replace('license = "Apache-2.0"\n', "")
        .replace('["memorization@1"]', '["memorization"]')
        + 'autors = ["x"]\ngpu = "maybe"\nrequires = "numpy"\n'
        + VARIANT
        + VARIANT
    )
    message = fault(tmp_path, text)
    for key in ("name", "license", "entry", "tasks", "autors", "gpu", "requires", "variants"):
        assert re.search(rf"[:;] {key}: ", message.what), key
    assert "license: missing" in message.what
    assert "autors: not a key that is known" in message.what
    assert "expected name@version, got 'memorization'" in message.what
    assert "'none', 'optional' or 'required', got 'maybe'" in message.what
    assert "two variants are called 'v'" in message.what
    assert "authors" in message.help


@pytest.mark.parametrize(
    ("old", "new", "key", "expected", "got"),
    [
        ('"a-name"', "3", "name", "text in quotes", "3"),
        ('"a-name"', '"with_underscore"', "name", "lower-case letters", "with_underscore"),
        ('"a-name"', '"-a"', "name", "lower-case letters", "-a"),
        ('"a-name"', f'"{"a" * 65}"', "name", "64", "aaa"),
        ('"A title"', '""', "title", "1 or more", "''"),
        ('["somebody"]', '"somebody"', "authors", "list", "somebody"),
        ('["somebody"]', "[1]", r"authors\.0", "text", "1"),
        ('["memorization@1"]', '["memorization@1"]\nuses_tags = 1', "uses_tags", "true or false", "1"),
        ('["memorization@1"]', "[]", "tasks", "1 or more", r"\[\]"),
        ('["memorization@1"]', '["Memorization@1"]', "tasks", "name@version", "Memorization@1"),
        ('"submission:Model"', '"a.b:C"', "entry", "module:name", r"a\.b:C"),
        ('"submission:Model"', '"../x:C"', "entry", "module:name", r"\.\./x:C"),
    ],
)
def test_a_wrong_value_is_told_with_key_expectation_and_value(tmp_path, old, new, key, expected, got):
    message = fault(tmp_path, HEAD.replace(old, new) + VARIANT)
    assert re.search(rf"{key}: .*{expected}.*got .*{got}", message.what)


@pytest.mark.parametrize(
    ("variant", "pattern"),
    [
        ("", "variants: .*1 or more"),
        ("[[variants]]\nplanes = 3\n", r"variants\.0\.name: missing"),
        ('[[variants]]\nname = "Bad Name"\n', r"variants\.0\.name: .*got 'Bad Name'"),
        ('[[variants]]\nname = "v"\nwidths = [1, 2]\n', r"variants\.0\.widths.*got \[1, 2\]"),
        ('[[variants]]\nname = "v"\nday = 2026-01-01\n', r"variants\.0\.day"),
        ('[variants]\nname = "v"\n', "variants: .*list"),
    ],
)
def test_wrong_variants_are_named(tmp_path, variant, pattern):
    assert re.search(pattern, fault(tmp_path, HEAD + variant).what)


def test_a_submission_has_at_most_16_variants(tmp_path):
    many = [f'[[variants]]\nname = "v-{k}"\n' for k in range(MOST_VARIANTS + 1)]
    assert len(read(tmp_path, HEAD + "".join(many[:-1])).variants) == 16
    message = fault(tmp_path, HEAD + "".join(many))
    assert "variants: 17 variants, expected at most 16: keep those that trace its curve" in message.what


def test_a_fault_of_a_setting_is_told_once(tmp_path):
    message = fault(tmp_path, HEAD + '[[variants]]\nname = "v"\nwidths = [1, 2]\n')
    assert message.what.count("widths") == 1


def test_a_number_that_is_not_finite_is_no_setting(tmp_path):
    assert "variants.0.scale" in fault(tmp_path, HEAD + VARIANT + "scale = nan\n").what


@pytest.mark.parametrize("setting", ["task", "self"])
def test_a_setting_cannot_be_called_as_the_constructors_own_argument(tmp_path, setting):
    message = fault(tmp_path, HEAD + VARIANT + f"{setting} = 1\n")
    assert f"variants: 'v' has a setting called {setting!r}" in message.what


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("", "expected the tables .*, got nothing"),
        (VARIANT, "expected the tables .*, got variants"),
        ("submission = 3\n" + VARIANT, "expected the tables"),
        (HEAD + VARIANT + "[extra]\na = 1\n", "got extra, submission, variants"),
        ("[submission\n", "not valid TOML: .*line 1"),
        (HEAD + HEAD, "not valid TOML: .*line"),
    ],
)
def test_a_file_of_another_kind_is_told(tmp_path, text, pattern):
    assert re.search(pattern, fault(tmp_path, text).what)


def test_text_that_is_not_utf8_is_told(tmp_path):
    (tmp_path / "submission.toml").write_bytes(b"[submission]\nname = '\xff'\n")
    with pytest.raises(ManifestError, match="not valid TOML"):
        read_manifest(tmp_path / "submission.toml")


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(ManifestError, match="cannot be read"):
        read_manifest(tmp_path / "submission.toml")


SEVERAL = """
[[variants]]
name = "one"
k = 1

[[variants]]
name = "two"
fit = "one"
k = 2
"""


def test_a_variant_may_take_the_fit_of_another(tmp_path):
    one, two = read(tmp_path, HEAD + SEVERAL).variants
    assert (one.fit, two.fit) == (None, "one")
    assert two.settings == {"k": 2}


@pytest.mark.parametrize(
    ("fit", "got"),
    [
        ("two", "one of one, got 'two', the variant itself"),
        ("three", "one of one, got 'three', which is none"),
        ("four", "one of one, got 'four', which itself takes the fit of 'one'"),
    ],
)
def test_a_fit_that_cannot_be_taken_is_told_with_line_and_key(tmp_path, fit, got):
    more = '[[variants]]\nname = "four"\n  fit="one"\n'
    text = HEAD + SEVERAL.replace('fit = "one"', f'fit = "{fit}"') + more
    message = fault(tmp_path, text)
    line = next(place for place, line in enumerate(text.splitlines(), 1) if line.startswith("fit"))
    expected = f"line {line}: variants.1.fit: expected a variant with a fit of its own, {got}"
    assert expected in message.what
    assert "leave `fit` out" in message.help


def test_every_fit_that_cannot_be_taken_is_told_at_once(tmp_path):
    text = HEAD + '[[variants]]\nname = "a"\nfit = "b"\n[[variants]]\nname = "b"\nfit = "a"\n'
    message = fault(tmp_path, text)
    assert (
        "variants.0.fit: expected a variant with a fit of its own, one of none here, got 'b'" in message.what
    )
    assert "variants.1.fit: " in message.what


def test_a_line_that_cannot_be_found_is_left_out(tmp_path):
    text = 'variants = [{name = "a", fit = "a"}]\n' + HEAD
    assert ": variants.0.fit: expected" in fault(tmp_path, text).what


@pytest.mark.parametrize("fit", ["3", "true", '"Bad Name"', '""', '["one"]'])
def test_a_fit_is_a_name(tmp_path, fit):
    message = fault(tmp_path, HEAD + SEVERAL.replace('fit = "one"', f"fit = {fit}"))
    assert re.search(r"variants\.1\.fit: ", message.what)
