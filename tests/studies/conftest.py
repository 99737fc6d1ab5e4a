"""What tests of studies share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def published_rows():
    """The directory of the published board's rows."""
    store = Path(__file__).resolve().parents[2] / "leaderboard" / "results"
    if not store.exists():
        pytest.skip("a source distribution has no rows")
    return store
