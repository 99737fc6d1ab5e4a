"""Which name was meant."""

import subprocess
import sys

import pytest

from sparsebench.ground.meant import did_you_mean, nearest
from sparsebench.ground.naming import unknown_name

KNOWN = ("memorization", "regression")


@pytest.mark.parametrize(("name", "meant"), [("memorisation", KNOWN[0]), ("regresion", KNOWN[1]), ("x", "")])
def test_the_nearest_name_is_given(name, meant):
    assert nearest(name, KNOWN) == nearest(name, dict.fromkeys(KNOWN)) == nearest(name, iter(KNOWN)) == meant


def test_how_near_it_must_be_is_said():
    assert nearest("seeds", ["sets"], near=0.5) == "sets"
    assert nearest("seeds", ["sets"], near=0.9) == ""


def test_a_question_is_asked_only_where_there_is_a_name():
    assert did_you_mean("memorisation", KNOWN) == "did you mean 'memorization'?"
    assert did_you_mean("memorisation", KNOWN, quoted=False) == "did you mean memorization?"
    assert did_you_mean("x", KNOWN) == did_you_mean("x", ()) == ""


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("memorisation", "did you mean 'memorization'? there are: memorization, regression"),
        ("x", "there are: memorization, regression"),
    ],
)
def test_an_unknown_name_is_told_with_all_there_are(name, told):
    assert unknown_name("task", name, KNOWN).help == told


def test_what_looks_for_names_is_imported_only_where_one_is_mistaken():
    code = "import sys, sparsebench.ground.meant; print('difflib' in sys.modules)"
    ran = subprocess.run([sys.executable, "-I", "-c", f"import sys; sys.path[:] = {sys.path!r}; {code}"],
                         capture_output=True, text=True, check=True, timeout=60)  # fmt: skip
    assert ran.stdout == "False\n"
