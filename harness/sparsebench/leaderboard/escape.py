"""Escaping for each kind of table: names in its cells come from strangers."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["for_bibtex", "for_csv", "for_latex", "for_log", "for_markdown", "for_terminal", "for_xml"]

_MARKDOWN = re.compile(r"[\\`*_\[\]<>#!|~&$]|:(?=\S)|@(?!\d)|(?<![^\W_])@|(?<=www)\.", re.IGNORECASE)
_FORMULA = ("=", "+", "-", "@")
_MINUS = "\N{MINUS SIGN}"  # no other form of the hyphen, but some spreadsheets read it as one
_LATEX = {
    **{character: rf"\{character}" for character in "{}$&#_%"},
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",  # in the oldest font encoding, the default, this is another character
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"{\char34}",  # Babel makes it a command
    "`": r"{\char96}",  # with ? and ! before it, it is another character
    "[": "{[}",  # an argument, after a command that may have one, such as the end of a line
    "]": "{]}",
    "*": "{*}",  # the same
}
_LATEX_RULES = str.maketrans(_LATEX)
# BibTeX counts braces even behind a backslash.
_BIBTEX_RULES = str.maketrans(_LATEX | {"{": r"\textbraceleft{}", "}": r"\textbraceright{}"})
_LIGATURE = re.compile(r"([-',])(?=\1)")
_XML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})
_LONGEST = 120


def for_terminal(text: str, longest: int = _LONGEST) -> str:
    """Return the text as one line without control characters: no escape sequences, no change of direction."""
    clean = "".join(" " if _breaks(character) else character for character in text)
    line = " ".join("".join(c for c in clean if not unicodedata.category(c).startswith("C")).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def for_log(text: str, longest: int = _LONGEST) -> str:
    """Return the text as `for_terminal` does, for the log of a workflow: none of its commands is in it."""
    # One kind of them begins anywhere in a line, another at its beginning.
    shown = for_terminal(text, longest).replace("##[", "# #[")
    return f": {shown[1:]}" if shown.startswith("::") else shown


def for_markdown(text: str, longest: int = _LONGEST) -> str:
    """Return the text so that Markdown shows it as it is: no pipe, tag, link, image or emphasis."""
    # The colon, the @ and the point would turn bare addresses into links. An entity shows as its character.
    return _MARKDOWN.sub(lambda found: f"&#{ord(found[0])};", for_terminal(text, longest))


def for_latex(text: str, longest: int = _LONGEST) -> str:
    """Return the text so that LaTeX shows it as it is: no command, comment, formula or ligature.

    Letters beyond ASCII stay as they are. Nothing here needs a package.
    """
    return _LIGATURE.sub(r"\1{}", for_terminal(text, longest).translate(_LATEX_RULES))


def for_bibtex(text: str, longest: int = _LONGEST) -> str:
    """Return the text as `for_latex` does, for a field of BibTeX in braces: it does not end the field."""
    return _LIGATURE.sub(r"\1{}", for_terminal(text, longest).translate(_BIBTEX_RULES))


def for_xml(text: str, longest: int = _LONGEST) -> str:
    """Return the text for XML, between tags or in a quoted attribute: no markup, no entity."""
    return for_terminal(text, longest).translate(_XML)


def for_csv(text: str) -> str:
    """Return the text as one line that no spreadsheet runs: an apostrophe comes before ``= + - @``.

    It does so at the beginning, also before the full-width and small forms that some spreadsheets run as
    well, and after a semicolon, at which spreadsheets of many languages split a line.
    """
    return ";".join(f"'{part}" if _runs(part) else part for part in for_terminal(text).split(";"))


def _runs(cell: str) -> bool:
    first = cell.lstrip(' "')[:1]  # quotes may be taken as those around a cell
    return first == _MINUS or unicodedata.normalize("NFKC", first).startswith(_FORMULA)


def _breaks(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) in {"Zl", "Zp"}
