"""``sparsebench check``."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict

import click

from sparsebench.cli.options import Names

__all__ = ["command"]

_MARKS = {
    "pass": click.style("pass", fg="green"),
    "fail": click.style("FAIL", fg="red", bold=True),
    "not-run": click.style("not run", fg="yellow"),
}


@click.command("check")
@click.argument("submission")
@click.option("--variants", type=Names(), default="", help="Only these variants.")
@click.option(
    "--in-process",
    is_flag=True,
    help="Run once in this process, where prints and debuggers work; not the whole check.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the checks as a JSON list.")
def command(submission: str, variants: tuple[str, ...], *, in_process: bool, as_json: bool) -> int:
    """Check that a submission keeps the contract, on the smallest instance of each of its tasks.

    Every variant is run twice as a score would be: in a process of its own, on handles. Nothing is stored.
    Audits that do not pass are printed, and the number of checks that do.

    \b
    Examples:
      sparsebench check ./my-router
      sparsebench check ./my-router --variants planes-8 --in-process

    Exit code: 0 all checks pass; 1 some do not; 2 the manifest or the entry is wrong.
    """
    from sparsebench.author.check import check_submission, run_in_process  # noqa: PLC0415 - keeps `--help` quick

    if in_process and as_json:
        raise click.UsageError("expected --in-process or --json, got both; leave one out")
    if in_process:
        for line in run_in_process(submission, variants):
            click.echo(line)
        return 0
    checks = []
    for check in check_submission(submission, variants):
        checks.append(check)
        if not as_json and not (check.audit and check.verdict == "pass"):
            detail = check.detail.removeprefix("not run: ") if check.verdict == "not-run" else check.detail
            click.echo(f"{_MARKS[check.verdict]} {check.name}: {detail}")
    if as_json:
        click.echo(json.dumps([{**asdict(check), "verdict": check.verdict} for check in checks], indent=1))
    else:
        click.echo(_summary([check.verdict for check in checks]))
    return int(not all(check.ok for check in checks))


def _summary(verdicts: list[str]) -> str:
    """Return the numbers of verdicts in words; a check that was not run does not pass."""
    counted = Counter(verdicts)
    words = {"pass": "pass", "fail": "fail" if counted["fail"] != 1 else "fails", "not-run": "not run"}
    said = [f"{counted[verdict]} {word}" for verdict, word in words.items() if counted[verdict]]
    return f"{len(verdicts)} checks: {', '.join(said)}"
