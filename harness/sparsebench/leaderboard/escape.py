"""Escaping for each kind of table: names in its cells come from strangers."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["for_bibtex", "for_csv", "for_markdown", "for_terminal", "for_xml"]

_MARKDOWN = re.compile(r"[\\`*_\[\]<>#!|~&$]|:(?=\S)|@(?!\d)|(?<=www)\.", re.IGNORECASE)
_XML = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
_BIBTEX = {letter: f"\\{letter}" for letter in "$&#_%"} | {
    "{": r"\textbraceleft{}",  # BibTeX counts braces even behind a backslash
    "}": r"\textbraceright{}",
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
}
_FORMULA = ("=", "+", "-", "@")
_LONGEST = 120


def for_terminal(text: str, longest: int = _LONGEST) -> str:
    """Return the text as one line without control characters: no escape sequences, no change of direction."""
    clean = "".join(" " if _breaks(character) else character for character in text)
    line = " ".join("".join(c for c in clean if not unicodedata.category(c).startswith("C")).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def for_markdown(text: str, longest: int = _LONGEST) -> str:
    """Return the text so that Markdown shows it as it is: no pipe, tag, link, image or emphasis."""
    # The colon, the @ and the point would turn bare addresses into links. An entity shows as its character.
    return _MARKDOWN.sub(lambda found: f"&#{ord(found[0])};", for_terminal(text, longest))


def for_csv(text: str) -> str:
    """Return the text as one line that no spreadsheet runs: a leading ``= + - @`` gets an apostrophe."""
    line = for_terminal(text)
    return f"'{line}" if line.startswith(_FORMULA) else line


def for_xml(text: str, longest: int = _LONGEST) -> str:
    """Return the text for XML or HTML, between tags or in a quoted attribute: no markup, no entity."""
    return "".join(_XML.get(letter, letter) for letter in for_terminal(text, longest))


def for_bibtex(text: str, longest: int = _LONGEST) -> str:
    """Return the text for a field of BibTeX in braces: no command, no end of the field."""
    return "".join(_BIBTEX.get(letter, letter) for letter in for_terminal(text, longest))


def _breaks(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) in {"Zl", "Zp"}
