"""`sparsebench check` fits twice, in two processes, and says where the models differ."""

from __future__ import annotations

import pytest

from evaluate.tiny import plain, write
from sparsebench.author.check import check_submission

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
