"""Texts of strangers become one printable line."""

from __future__ import annotations

import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsebench.errors import (
    FailedError,
    MemoryLimitError,
    RefusedError,
    TimeLimitError,
    UncountedOperationError,
)
from sparsebench.evaluate.host import reports

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "text", "where", "help"]), inner)
    ),
)


@given(st.text())
def test_one_line_is_one_printable_line(text: str) -> None:
    line = reports.one_line(text)
    assert line.isprintable()
    assert len(line) <= 300
    assert line == text.strip() or not text.isprintable() or len(text) > 300


@given(told=JSON, fatal=st.sampled_from([None, TimeLimitError("a\nb", help="c\x1bd")]))
def test_whatever_is_told_is_an_error_of_one_line(told: object, fatal: TimeLimitError | None) -> None:
    error = reports.of_error(told, fatal)
    assert error.what.isprintable()
    assert error.help.isprintable()
    assert len(error.what) < 1000
    assert fatal is None or type(error) is TimeLimitError


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("MemoryError", MemoryLimitError),
        ("RefusedError", RefusedError),
        ("UncountedOperationError", UncountedOperationError),
        ("ValueError", FailedError),
        ("InvalidResultError", FailedError),
    ],
)
def test_only_some_errors_choose_their_status(kind: str, expected: type[Exception]) -> None:
    assert type(reports.of_error({"type": kind, "text": "t"}, None)) is expected


@pytest.mark.parametrize("code", [0, 1, 255, *(-int(number) for number in signal.valid_signals())])
def test_every_end_has_words(code: int) -> None:
    assert str(abs(code)) in reports.of_death(code).what or "SIG" in reports.of_death(code).what


def test_clean_keeps_the_kind_of_an_error() -> None:
    error = reports.clean(TimeLimitError("a\x1b[31m\nb", help="\r\n"))
    assert type(error) is TimeLimitError
    assert error.what == "a [31m b"
    assert error.help == ""
