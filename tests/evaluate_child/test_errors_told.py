"""Texts of strangers become one printable line."""

from __future__ import annotations

import builtins
import re
import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsebench.errors import (
    DisturbedError,
    FailedError,
    MemoryLimitError,
    RefusedError,
    TimeLimitError,
    UncountedOperationError,
)
from sparsebench.evaluate.host import errors_told
from sparsebench.evaluate.host.process import End

if TYPE_CHECKING:
    from pathlib import Path

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "text", "where", "help"]), inner)
    ),
)


@given(st.text())
def test_one_line_is_one_printable_line(text: str) -> None:
    line = errors_told.one_line(text)
    assert line.isprintable()
    assert len(line) <= 300
    assert line == text.strip() or not text.isprintable() or len(text) > 300


@given(told=JSON, fatal=st.sampled_from([None, TimeLimitError("a\nb", help="c\x1bd")]))
def test_whatever_is_told_is_an_error_of_one_line(told: object, fatal: TimeLimitError | None) -> None:
    error = errors_told.of_error(told, fatal)
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
    assert type(errors_told.of_error({"type": kind, "text": "t"}, None)) is expected


@pytest.mark.parametrize("code", [0, 1, 255, *(-int(number) for number in signal.valid_signals())])
def test_every_end_has_words(code: int) -> None:
    said = errors_told.of_death(End(code)).what
    assert str(abs(code)) in said or "SIG" in said
    silently = errors_told.of_death(End(code), silent=True).what
    assert silently == (said if code == -signal.SIGKILL else errors_told.of_death(End(3), silent=True).what)


@pytest.mark.parametrize(
    ("why", "kind"), [("memory", MemoryLimitError), ("files", FailedError), ("parent", DisturbedError)]
)
def test_every_reason_to_kill_has_words(why: str, kind: type[Exception]) -> None:
    error = errors_told.of_death(End(-9, why), silent=True)
    assert type(error) is kind
    assert error.help


@given(told=JSON)
def test_what_knows_of_inputs_has_no_words(tmp_path_factory: pytest.TempPathFactory, told: object) -> None:
    folder = tmp_path_factory.getbasetemp() / "code"
    folder.mkdir(exist_ok=True)
    (folder / "a.py").write_text("1\n2\n", encoding="utf-8")
    said = errors_told.of_error(told, None, code=folder).what
    words = r"((\w+|an exception): )?its words are left out, .* the meter( \(a\.py:[123]\))?"
    found = re.fullmatch(words, said)
    assert found or said.startswith(("out of memory", "the process sent something"))
    assert not found or not found[2] or found[2] in {*dir(builtins), "ContractError", "an exception"}


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ("a.py:2 in secret_0110", "(a.py:2)"),
        ("a.py:0002 in f", "(a.py:2)"),
        ("a.py:9 in f", ""),
        ("b.py:1 in f", ""),
        ("../outside.py:1 in f", ""),
        ("secret", ""),
    ],
)
def test_only_a_line_that_there_is_stays(tmp_path: Path, where: str, kept: str) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "outside.py").write_text("1\n", encoding="utf-8")
    (tmp_path / "code" / "a.py").write_text("1\n2\n", encoding="utf-8")
    told = {"type": "ValueError", "text": "x[0] is 0.25", "where": where, "help": "0.25"}
    error = errors_told.of_error(told, None, code=tmp_path / "code")
    assert "0.25" not in error.what + error.help
    assert error.what.endswith(kept or "the meter")


def test_clean_keeps_the_kind_of_an_error() -> None:
    error = errors_told.clean(TimeLimitError("a\x1b[31m\nb", help="\r\n"))
    assert type(error) is TimeLimitError
    assert error.what == "a [31m b"
    assert error.help == ""
