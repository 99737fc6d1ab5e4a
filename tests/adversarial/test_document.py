"""docs/trust.md lists the attacks as they are."""

from __future__ import annotations

import pytest

from adversarial.document import BEGIN, HERE, PAGE, page, tries
from adversarial.level import LEVELS
from adversarial.verdicts import VERDICTS


def test_the_table_is_the_one_that_is_generated() -> None:
    told = "run `python tests/adversarial/document.py`"
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(text), told


def test_a_page_without_a_place_for_it_is_refused() -> None:
    with pytest.raises(ValueError, match="expected"):
        page("# Trust")
    assert BEGIN in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", VERDICTS)
def test_everything_is_told_of_each(name: str) -> None:
    assert len(tries(HERE / "attacks" / name.partition("/")[0])) >= len("Exits")
    assert VERDICTS[name].level in LEVELS
    assert "|" not in VERDICTS[name].stopped_by
