"""``sparsebench reproduce`` on the command line."""

import json

import pytest


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SPARSEBENCH_CACHE", str(tmp_path / "cache"))


def test_studies_are_listed(cli):
    outcome = cli("reproduce", "--list")
    assert outcome.code == 0
    assert {"overlap", "polynomial", "k-tanh"} <= {line.split()[0] for line in outcome.out.splitlines()}


def test_a_study_tells_its_claims_and_writes_its_page(cli, tmp_path):
    outcome = cli("reproduce", "k-tanh", "polynomial", "--into", "found")
    assert outcome.code == 0
    assert "k-tanh: reproduced: " in outcome.out
    assert "[1/2] k-tanh: error" in outcome.err
    again = cli("reproduce", "k-tanh", "polynomial", "--into", "found", "--json")
    assert "error" not in again.err  # nothing is computed twice
    told = json.loads(again.out)
    assert [each["study"] for each in told] == ["k-tanh", "polynomial"]
    assert {claim["verdict"] for claim in told[1]["claims"]} == {"reproduced"}


@pytest.mark.parametrize("arguments", [(), ("--all", "overlap")])
def test_names_or_all_but_not_both(cli, arguments):
    outcome = cli("reproduce", *arguments)
    assert outcome.code == 2
    assert "expected names of studies or --all" in outcome.err


def test_a_wrong_name_is_told_before_anything_runs(cli):
    outcome = cli("reproduce", "k-tanh", "polinomial")
    assert outcome.code == 2
    assert "polynomial" in outcome.err
    assert outcome.out == ""


def test_a_study_of_rows_says_where_it_looked(cli):
    outcome = cli("reproduce", "honest-price")
    assert outcome.code == 2
    assert "sparsebench-results" in outcome.err
