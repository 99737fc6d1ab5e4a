r"""One spelling of text: with LF, so that a checkout with CR LF is the same state.

What is hashed of a text file is its content with LF. A CR LF that comes after another CR, and a CR by itself,
are no line ends to us and stay: so to spell with LF what is spelled with LF changes nothing, and Python reads
both spellings of a module as one program (it takes each CR of ``\r\r\n`` for a line).
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
"""What a ``.gitattributes`` says that keeps a folder's files as they are hashed."""

BY_LINE_ENDS = "; line ends alone differ: that hash is of text with CR LF, and hashes are of text with LF"
"""What an error adds where `differ_by_line_ends`."""

_CRLF = re.compile(rb"(?<!\r)\r\n")
_LF = re.compile(rb"(?<!\r)\n")


def with_lf(content: bytes) -> bytes:
    """Spell a text's line ends with LF. What is no text (NUL in it, or no UTF-8) is given as it is."""
    return _CRLF.sub(b"\n", content) if b"\r\n" in content and _is_text(content) else content


def with_crlf(content: bytes) -> bytes:
    """Spell a text's line ends with CR LF, as a checkout on Windows may; `with_lf` undoes it."""
    return _LF.sub(b"\r\n", content) if _is_text(content) else content


def differ_by_line_ends(expected: str, hashed: Callable[[Callable[[bytes], bytes]], str]) -> bool:
    """Tell whether a hash is that of the same content with other line ends.

    Parameters
    ----------
    expected
        The hash, which the content with LF does not have.
    hashed
        Gives the hash of the content, each file's spelled by the function that it is given.
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
