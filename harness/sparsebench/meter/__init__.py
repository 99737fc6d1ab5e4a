"""The meter: executes a submission's array operations in the harness's process and counts them."""

from __future__ import annotations

from sparsebench.meter.client import MeteredArray
from sparsebench.meter.engine import BITS_PER_INPUT, Engine
from sparsebench.meter.ledger import PHASES, Entry, Ledger
from sparsebench.meter.namespace import MeteredNamespace
from sparsebench.meter.prices import COST_MODEL, PROFILES, price
from sparsebench.meter.transport import InProcess, OverPipe, answer
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
