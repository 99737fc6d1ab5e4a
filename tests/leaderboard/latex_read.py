"""Reading back what a board's LaTeX shows. It shares nothing with what writes it."""

from __future__ import annotations

import re

__all__ = ["latex_tables", "read_latex"]

_MEANT = {
    r"\textbackslash{}": "\\",
    r"\textasciicircum{}": "^",
    r"\textasciitilde{}": "~",
    r"\textless{}": "<",
    r"\textgreater{}": ">",
    r"\textbar{}": "|",
    r"{\char34}": '"',
    r"{\char96}": "`",
    "{[}": "[",
    "{]}": "]",
    "{*}": "*",
    "-{}": "-",
    ",{}": ",",
    "'{}": "'",
    **{f"\\{c}": c for c in "{}$&#_%"},
}
_TOKEN = re.compile(
    "|".join(map(re.escape, sorted(_MEANT, key=len, reverse=True))) + r"|[^\\{}$&#_%^~<>|\"`\[\]*]"
)


def read_latex(text: str) -> str:
    """Return what a text shows; fail if anything in it is more than a letter."""
    read, place = "", 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        assert found, f"{text[place:]!r} is not inert"
        read += _MEANT.get(found[0], found[0])
        place = found.end()
    assert not re.search(r"--|''|,,|\?`|!`", text)  # ligatures
    return read


def latex_tables(text: str) -> list[list[list[str]]]:
    """Return the tables, each as lines of cells: the head first."""
    found = []
    for body in re.findall(r"\\toprule\n(.*?)\\bottomrule", text, re.DOTALL):
        lines = [line.strip() for line in body.rstrip().split("\n") if line.strip() != r"\midrule"]
        assert all(line.endswith(r" \\") for line in lines)
        found.append([re.split(r"(?<!\\) & ", line.removesuffix(r" \\")) for line in lines])
    return found
