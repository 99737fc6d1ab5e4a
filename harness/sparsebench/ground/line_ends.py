r"""One form of text: with LF, so that a checkout with CR LF is the same state.

The hash of a text file is that of its content with LF. A CR LF after another CR, and a CR by itself, do not
count as line ends and stay: so converting a text with LF changes nothing, and Python reads both forms of a
module as one program (it takes each CR of ``\r\r\n`` for a line end).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ATTRIBUTES", "BY_LINE_ENDS", "differ_by_line_ends", "with_crlf", "with_lf"]

ATTRIBUTES = """\
# Hashes of text are of its content with LF: have Git keep it so, on every system.
* text=auto eol=lf
*.parquet binary
"""
"""The content of a ``.gitattributes`` that keeps a folder's files as they are hashed."""

BY_LINE_ENDS = "; line ends alone differ: that hash is of text with CR LF, and hashes are of text with LF"
"""The addition to an error if `differ_by_line_ends`."""

_CRLF = re.compile(rb"(?<!\r)\r\n")
_LF = re.compile(rb"(?<!\r)\n")


def with_lf(content: bytes) -> bytes:
    """Return a text with LF. Content that is not text (with NUL, or not UTF-8) is returned unchanged."""
    return _CRLF.sub(b"\n", content) if b"\r\n" in content and _is_text(content) else content


def with_crlf(content: bytes) -> bytes:
    """Return a text with CR LF, as a checkout on Windows may have it; `with_lf` reverses this."""
    return _LF.sub(b"\r\n", content) if _is_text(content) else content


def differ_by_line_ends(expected: str, hashed: Callable[[Callable[[bytes], bytes]], str]) -> bool:
    """Return whether a hash is that of the same content with other line ends.

    Parameters
    ----------
    expected
        The hash, which the content with LF does not have.
    hashed
        Returns the hash of the content, after the function that it gets has converted each file.
    """
    return expected in {hashed(bytes), hashed(with_crlf)}


def _is_text(content: bytes) -> bool:
    if b"\0" in content:
        return False
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
