"""The table of attacks in docs/trust.md: ``python tests/adversarial/document.py`` writes it anew."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "trust.md"
BEGIN = "<!-- Written by `python tests/adversarial/document.py` from the attacks and their verdicts. -->"
END = "<!-- End of what is written. -->"


def tries(folder: Path) -> str:
    """Say what an attack does: the first line of its module."""
    text = ast.get_docstring(ast.parse((folder / "submission.py").read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0].rstrip(".")


def table() -> str:
    """Write the attacks, group by group."""
    from adversarial.verdicts import GROUPS

    lines: list[str] = []
    for title, group in GROUPS.items():
        lines += [
            f"### {title}",
            "",
            "| attack | what it does | what holds it | from level |",
            "| --- | --- | --- | --- |",
        ]
        for name, verdict in group.items():
            folder, _, variant = name.partition("/")
            about = tries(HERE / "attacks" / folder) + (f" (variant `{variant}`)" if variant else "")
            lines.append(f"| `{folder}` | {about} | {verdict.stopped_by} | `{verdict.level}` |")
        lines.append("")
    return "\n".join(lines)


def page(text: str) -> str:
    """Put the table into the page, in the place of the one that is there."""
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name}: expected {BEGIN!r} and {END!r}")
    return f"{head}{BEGIN}\n\n{table()}\n{END}{tail}"


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent))
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
