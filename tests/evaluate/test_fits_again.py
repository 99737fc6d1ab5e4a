"""`sparsebench check` fits twice, in two processes, and says where the models differ."""

from __future__ import annotations

import textwrap

import pytest

from evaluate.tiny import plain, write
from sparsebench.author.check import check_submission
from sparsebench.evaluate.host.randomness import unseeded

MEND = "draw randomness only from the rng that fit is given"
ONE = "two fits in two processes give one model"
TWO = "two fits in two processes give two models"
MODEL = "{'w': %s, 'b': np.zeros(1)}"

FITS = {
    "the-rng": ("rng.normal(size=4)", True, ONE),
    "another-generator": (
        "np.random.default_rng().normal(size=4)",
        False,
        f"{TWO} (submission.py:17: np.random.default_rng()); {MEND}",
    ),
    "the-global-state": (
        "np.random.rand(4)",
        False,
        f"{TWO} (submission.py:17: np.random.rand(4)); {MEND}",
    ),
    "the-hash-of-a-text": (
        "np.full(4, float(hash('a')))",
        False,
        f"{TWO} (submission.py:17: hash('a')); {MEND}",
    ),
    "order-of-a-set": (
        "np.array([float(w) for w in set(map(str, range(99)))][:4])",
        False,
        f"{TWO}; {MEND}",
    ),
}


@pytest.mark.parametrize("source", FITS)
def test_a_fit_that_gives_another_model_is_told_with_what_draws(tmp_path, source):
    weights, ok, detail = FITS[source]
    folder = write(tmp_path / "mine", plain(fit=f"return {MODEL % weights}"))
    checks = {check.name.rpartition(" ")[2]: check for check in check_submission(str(folder))}
    assert checks["fits-again"].ok is ok
    assert checks["fits-again"].detail == detail
    assert checks["runs-again"].ok is ok


CALLS = {
    "default_rng()": "np.random.default_rng()",
    "seeded": "",
    "random": "random.random()",
    "torch": "torch.randn(3)",
    "legacy": "np.random.RandomState()",
    "clock": "time.time()",
}
CODES = {
    "default_rng()": "x = np.random.default_rng()",
    "seeded": "np.random.seed(3)\nx = np.random.rand(4)\ny = np.random.default_rng(rng.integers(9))",
    "random": "import random\nx = random.random()",
    "torch": "x = torch.randn(3)",
    "legacy": "x = np.random.RandomState()",
    "clock": "x = int(time.time())",
}


@pytest.mark.parametrize("kind", CODES)
def test_what_draws_is_found_in_the_code(tmp_path, kind):
    (tmp_path / "other.py").write_text(textwrap.dedent(CODES[kind]), encoding="utf-8")
    (tmp_path / "broken.py").write_text("def", encoding="utf-8")
    found = unseeded(tmp_path)
    assert found.partition(": ")[2] == CALLS[kind]
    assert found.startswith("other.py:" if CALLS[kind] else "")


def test_files_that_are_included_are_read_too(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "shared.py").write_text("x = np.random.rand(3)", encoding="utf-8")
    assert unseeded(tmp_path / "mine", [tmp_path / "shared.py"]) == "shared.py:1: np.random.rand(3)"
