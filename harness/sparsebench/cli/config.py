"""``--config FILE``: the options of a verb as keys of a TOML file. What the command line says wins."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sparsebench.cli.kinds import PathTo
from sparsebench.cli.mistakes import guess
from sparsebench.cli.options import Names, Seeds
from sparsebench.cli.settings import Setting

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["config_option", "from_command_line"]

_NEVER = ("config", "help")


def _read(ctx: click.Context, param: click.Parameter, path: Path | None) -> None:
    """Read a file, and use its values for the options that the command line leaves out."""
    if path is None:
        return
    known = {_key(each): each for each in ctx.command.params if _key(each) not in _NEVER}
    values: dict[str, Any] = {}
    for key, value in _loaded(path, ctx, param).items():
        if key not in known:
            mend = guess(key, known) or f"the keys are {', '.join(sorted(known))}"
            raise _fault(path, f"expected an option of {ctx.info_name}, got {key!r}; {mend}", ctx, param)
        option = known[key]
        assert option.name is not None
        values[option.name] = _value(option, value, lambda what: _fault(path, what, ctx, param), ctx)
    ctx.default_map = {**(ctx.default_map or {}), **values}


def _loaded(path: Path, ctx: click.Context, param: click.Parameter) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _fault(path, f"expected a file, got {error.strerror}; mend the path", ctx, param) from None
    except (ValueError, RecursionError) as error:
        raise _fault(path, f"expected TOML, got {error}; mend the file", ctx, param) from None


def _key(param: click.Parameter) -> str:
    """Return the key of an option: its longest name without the leading hyphens."""
    if isinstance(param, click.Option):
        return max(param.opts, key=len).lstrip("-")
    return param.name or ""


def _value(
    param: click.Parameter, value: Any, fault: Callable[[str], click.BadParameter], ctx: click.Context
) -> Any:
    """Read a value as the option's own type would from the command line."""
    key = _key(param)
    if isinstance(param, click.Option) and param.is_flag:
        if not isinstance(value, bool):
            raise fault(f"{key}: expected true or false, got {value!r}; set it to one of these")
        return value
    try:
        return param.type_cast_value(ctx, _as_typed(param, value))
    except click.BadParameter as error:
        raise fault(f"{key}: {error.message}") from None


def _as_typed(param: click.Parameter, value: Any) -> Any:
    """Return a value as it would be typed: lists with commas, settings as NAME=VALUE, or a list of those."""
    if isinstance(param.type, Setting):
        if not isinstance(value, dict):
            raise click.BadParameter(f"expected a table, got {value!r}; such as {{ hidden = 32 }}")
        return [(name, setting) for name, setting in value.items()]
    if isinstance(value, list) and all(isinstance(each, str | int) for each in value):
        if isinstance(param.type, Names | Seeds):
            return ",".join(map(str, value)) + ("," if isinstance(param.type, Seeds) else "")
        if param.nargs == -1:
            return list(map(str, value))
    if param.nargs == -1 and isinstance(value, str):
        return [value]
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise click.BadParameter(f"expected text or a number, got {value!r}; write it as on the command line")
    return str(value)


def _fault(path: Path, what: str, ctx: click.Context, param: click.Parameter) -> click.BadParameter:
    return click.BadParameter(f"{path}: {what}", ctx, param)


def from_command_line(ctx: click.Context, name: str) -> bool:
    """Return whether a parameter's value was typed, and did not come from a file or the default."""
    return ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE


config_option = click.option(
    "--config",
    type=PathTo(path_type=Path, exists=True, dir_okay=False),
    default=None,
    is_eager=True,
    expose_value=False,
    callback=_read,
    help="A TOML file with any of these options as keys, such as seeds = 2. The command line wins.",
)
"""A file of options."""
