"""``sparsebench explain``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from sparsebench.cli.kinds import OneOf, Whole
from sparsebench.cli.prices import prices_option

if TYPE_CHECKING:
    from sparsebench.meter.pricelist import PriceList

__all__ = ["command"]


@click.command("explain")
@click.argument("submission")
@click.option("--task", default="", help="A task of the submission. May be left out if it has only one.")
@click.option("--variant", default="", help="A variant. Default: the first.")
@click.option("--instance", default="", help="An instance of the task. Default: the first small one.")
@click.option("--seed", type=Whole(0, 10**9 - 1), default=0, show_default=True, help="The seed.")
@click.option(
    "--inputs",
    type=Whole(min=1),
    default=256,
    show_default=True,
    help="How many inputs of the test split to count, each alone. The same ones each time.",
)
@click.option(
    "--by",
    type=OneOf(["line", "kind", "phase"]),
    default="line",
    show_default=True,
    help="The rows of the table. JSON has all three.",
)
@prices_option
@click.option("--json", "as_json", is_flag=True, help="Print everything as a JSON object.")
def command(
    submission: str,
    *,
    task: str,
    variant: str,
    instance: str,
    seed: int,
    inputs: int,
    by: str,
    prices: PriceList | None,
    as_json: bool,
) -> None:
    """Show where the operations of a submission go: phase, line of its code, kind. Largest first.

    SUBMISSION is the path of a folder with a submission.toml, or the name of a shipped one. One variant is
    fitted and counted in this process, without a sandbox: use it on code that you trust. Nothing is stored.
    Output of the code goes to standard error.

    \b
    Examples:
      sparsebench explain lsh-affine --variant planes-8
      sparsebench explain ./my-router --task memorization@1 --by kind
      sparsebench explain ./my-router --prices my-accelerator.toml
      sparsebench explain ./my-router --json > explanation.json

    Exit code: 0 fine; 1 the meter refused something, or the code failed; 2 a mistake in usage.
    """
    from sparsebench.author.explain import explain  # noqa: PLC0415
    from sparsebench.author.rendering import as_text, to_json  # noqa: PLC0415 - keeps `--help` quick

    found = explain(submission, task, variant=variant, instance=instance, seed=seed, inputs=inputs)
    text = (
        json.dumps(to_json(found, prices), indent=1, allow_nan=False)
        if as_json
        else as_text(found, by, prices)
    )
    click.echo(text)
