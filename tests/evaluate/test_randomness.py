"""Where a submission's code draws randomness that nobody has seeded: found by reading it."""

from __future__ import annotations

import textwrap

import pytest

from sparsebench.evaluate.host.randomness import unseeded

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
