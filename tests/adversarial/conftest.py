"""What the attacks' tests share."""

from __future__ import annotations

import pytest

from adversarial.level import level


@pytest.fixture(scope="session")
def sandbox_level() -> str:
    """The level of the sandbox here."""
    return level()
