"""Mistakes in usage, each reported in one line: ``error: VERB: expected ..., got ...; MEND``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click
from click import exceptions

from sparsebench.ground.meant import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Verbs", "guess", "line_of"]

_HELP_WAS_ASKED: tuple[type[click.ClickException], ...] = tuple(
    filter(None, [getattr(exceptions, "NoArgsIsHelpError", None)])  # older releases of click print it at once
)


class Verbs(click.Group):
    """A group that suggests which of its verbs was meant."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb that the arguments begin with."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            known = self.list_commands(ctx)
            mend = guess(args[0], known) or f"there are: {', '.join(known)}"
            raise click.UsageError(f"expected a verb, got {args[0]!r}; {mend}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb, and add its name to a mistake that click reports without a place."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            name = ctx.invoked_subcommand
            command = self.get_command(ctx, name) if name else None
            if error.ctx is None and command is not None:
                error.ctx = click.Context(command, parent=ctx, info_name=name)
            raise


def guess(name: str, known: Iterable[str]) -> str:
    """Return the question whether a similar name was meant; empty if there is none."""
    return did_you_mean(name, known, near=0.5, quoted=False)


def line_of(error: click.ClickException) -> str:
    """Return the line of a mistake: what was expected, what was got, the mend.

    Parameters
    ----------
    error
        The error that click, or one of our types of options, raised.

    Returns
    -------
    str
        One line; the text of ``--help`` if that is click's answer to an empty command line.
    """
    if isinstance(error, _HELP_WAS_ASKED):
        return error.format_message()
    what, mend = _words(error)
    context = error.ctx if isinstance(error, click.UsageError) else None
    place = context.command_path if context else "sparsebench"
    line = f"error: {place}: {what}; {mend or f'`{place} --help` shows what there is'}"
    return " ".join(line.split())  # one line, whatever the arguments were


def _words(error: click.ClickException) -> tuple[str, str]:
    """Return what is wrong, and the mend if a better one is known than to read the help."""
    if isinstance(error, click.NoSuchOption):
        return _no_option(error)
    if isinstance(error, click.MissingParameter):
        return f"expected {_name(error.param)}, got nothing", ""
    if isinstance(error, click.BadParameter):
        what, _, mend = error.message.partition("; ")
        return f"{_name(error.param)}: {what}" if error.param else what, mend
    if isinstance(error, click.BadOptionUsage):
        takes = "requires" in error.message
        told = "a value after it, got none" if takes else "no value, got one"
        return f"{error.option_name}: expected {told}", "" if takes else "leave the value out"
    if found := re.fullmatch(r"Got unexpected extra arguments? \((.*)\)", error.format_message(), re.DOTALL):
        return f"expected no more arguments, got {found[1]!r}", ""
    what, _, mend = error.format_message().partition("; ")
    return what.removesuffix("."), mend


def _no_option(error: click.NoSuchOption) -> tuple[str, str]:
    given = error.option_name
    known: list[str] = []
    if error.ctx is not None:
        hidden = error.ctx.help_option_names
        known = [name for param in error.ctx.command.params for name in param.opts if name.startswith("--")]
        known += [name for name in hidden if name.startswith("--")]
    near = guess(given, known) if given.startswith("--") else ""  # one letter is similar to nothing
    return f"expected one of its options, got {given}", near


def _name(param: click.Parameter | None) -> str:
    """Return a parameter's name as people write it: ``--seeds``, ``SUBMISSION``."""
    if param is None:
        return "an argument"
    if isinstance(param, click.Option):
        return max((*param.opts, *param.secondary_opts), key=len)
    return param.human_readable_name.strip("[].")
