"""``-p NAME=VALUE``: settings of a variant from the command line, for trials."""

from __future__ import annotations

import math
import re
import tomllib
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    _SettingType = click.ParamType[tuple[str, bool | float | str]]
else:  # older releases of click have no type parameter there
    _SettingType = click.ParamType

__all__ = ["Setting", "settings_option"]

_TAKEN = ("fit", "name", "self", "task")


class Setting(_SettingType):
    """A keyword of the entry, and a value in TOML's notation."""

    name = "setting"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, bool | float | str]:
        """Read both, or check those from a file."""
        if isinstance(value, tuple):  # from a file
            key, read = value
            return self._key(key, param, ctx), self._value(key, read, repr(read), param, ctx)
        key, equals, text = str(value).partition("=")
        if not equals:
            self.fail(f"expected NAME=VALUE, got {value!r}; such as hidden=32", param, ctx)
        key = self._key(key.strip(), param, ctx)
        return key, self._value(key, self._parsed(key, text, param, ctx), text, param, ctx)

    def _key(self, key: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not re.fullmatch(r"[A-Za-z_]\w*", key):
            self.fail(f"expected the name of a setting, got {key!r}; such as hidden", param, ctx)
        if key in _TAKEN:
            self.fail(f"expected a setting of the variant, got {key!r}; that name is taken", param, ctx)
        return key

    def _parsed(self, key: str, text: str, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            read = tomllib.loads(f"value = {text}")
        except tomllib.TOMLDecodeError:
            read = {}
        if read.keys() == {"value"}:
            return read["value"]
        mend = f"text takes quotes: {key}='\"{text}\"'" if re.fullmatch(r"[\w.-]+", text) else "mend it"
        return self.fail(f"expected a value as TOML has it for {key}, got {text!r}; {mend}", param, ctx)

    def _value(
        self, key: str, value: Any, text: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> bool | float | str:
        if isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value)):
            return value
        wanted = f"text, a finite number, true or false for {key}"
        return self.fail(f"expected {wanted}, got {text}; give such a value", param, ctx)


settings_option = click.option(
    "-p",
    "--param",
    "settings",
    type=Setting(),
    multiple=True,
    metavar="NAME=VALUE",
    help="Try a variant with another setting, e.g. hidden=32; may be repeated. Its rows are on no board.",
)
"""Settings to try."""
