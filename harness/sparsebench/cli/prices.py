"""``--prices``: one more column, by a user's own price list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sparsebench.errors import UsageError

if TYPE_CHECKING:
    from sparsebench.meter.pricelist import PriceList

    _PricesType = click.ParamType[PriceList]
else:  # older releases of click have no type parameter there
    _PricesType = click.ParamType

__all__ = ["Prices", "prices_option"]


class Prices(_PricesType):
    """The path of a price list, or the name of a standard one. It is read before anything is run."""

    name = "prices"

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,  # noqa: ARG002 - click's signature
        ctx: click.Context | None,  # noqa: ARG002
    ) -> PriceList:
        """Read and validate it."""
        from sparsebench.leaderboard.sheets import POINT_COLUMNS  # noqa: PLC0415 - keeps `--help` quick
        from sparsebench.meter import PROFILES  # noqa: PLC0415
        from sparsebench.meter.pricelist import PriceList, find_price_list  # noqa: PLC0415
        from sparsebench.results import COLUMNS  # noqa: PLC0415

        found = value if isinstance(value, PriceList) else find_price_list(str(value))
        if found.name in {*COLUMNS, *POINT_COLUMNS} and found.name not in PROFILES:
            message = f"{value}: name: expected a name that no column of a table has, got {found.name!r}"
            raise UsageError(message, help="give the price list another name")
        return found


prices_option = click.option(
    "--prices",
    type=Prices(),
    default=None,
    metavar="LIST",
    help="One more column beside ops: the raw counts by a price list of your own (a TOML file, see "
    "docs/prices.md) or a standard one (macs, bit-ops, ...). Never stored, never ranked by.",
)
"""A price list to show beside the standard one."""
