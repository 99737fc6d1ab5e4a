"""The meter: executes a submission's array operations in the harness's process and counts them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparsebench.ground import lazy

if TYPE_CHECKING:
    from sparsebench.meter.client.array import MeteredArray
    from sparsebench.meter.client.namespace import MeteredNamespace
    from sparsebench.meter.client.transport import InProcess, OverPipe
    from sparsebench.meter.engine.answering import answer
    from sparsebench.meter.engine.engine import BITS_PER_INPUT, Engine
    from sparsebench.meter.ledger import PHASES, Entry, Ledger
    from sparsebench.meter.prices import COST_MODEL, PROFILES, price
    from sparsebench.meter.values import Description, Handle
    from sparsebench.meter.wire import Pipe

__all__ = [
    "BITS_PER_INPUT",
    "COST_MODEL",
    "PHASES",
    "PROFILES",
    "Description",
    "Engine",
    "Entry",
    "Handle",
    "InProcess",
    "Ledger",
    "MeteredArray",
    "MeteredNamespace",
    "OverPipe",
    "Pipe",
    "answer",
    "price",
]

_HOMES = {
    "client.array": ("MeteredArray",),
    "client.namespace": ("MeteredNamespace",),
    "client.transport": ("InProcess", "OverPipe"),
    "engine.answering": ("answer",),
    "engine.engine": ("BITS_PER_INPUT", "Engine"),
    "ledger": ("PHASES", "Entry", "Ledger"),
    "prices": ("COST_MODEL", "PROFILES", "price"),
    "values": ("Description", "Handle"),
    "wire": ("Pipe",),
}

if not TYPE_CHECKING:  # pragma: no branch - or mypy takes any name for one of the package's
    __getattr__, __dir__ = lazy.attach(__name__, _HOMES)
