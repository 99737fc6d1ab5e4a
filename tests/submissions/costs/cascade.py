"""cascade: an input is asked of the cheap model, and of the dear one if that is unsure."""

from __future__ import annotations

from math import ceil, log2
from typing import Any

import numpy as np

from submissions.sizes import Settings, Sizes, columns

ROWS = 128
SHARES = (0.2, 0.6)


def cost_of(settings: Settings, sizes: Sizes, params: dict[str, Any], x: np.ndarray) -> dict[str, int]:
    """Count what is run for an input. A dear model that it does not need runs on no rows: that is nothing."""
    share, classes, d = settings["unsure"], sizes.classes, sizes.d
    cheap, dear = network(params, "cheap", d, classes), network(params, "dear", d, classes)
    stored = sum(array.size for array in params.values())
    if share in {0, 1}:
        return columns(stored=stored, **(dear if share else cheap))
    seen = np.maximum(params["cheap-hidden"] @ x.ravel() + params["cheap-offsets"], 0)
    width = len(seen)
    if classes:
        ranked = np.sort(seen @ params["cheap-readout"] + params["cheap-intercept"])
        sure = ranked[-1] - ranked[-2]
        doubt = {"experts": ceil(log2(classes)) + 1}
    else:
        sure = seen @ params["doubt"] + params["doubt-intercept"]
        doubt = {"experts": 2 * width, "macs": width, "loaded": width + 1}
    leaving = {"experts": 1, "experts_addresses": 1, "loaded": 1}  # the threshold; who is unsure
    asked = [dear, {"experts_lookups": d + 1}]  # the input is carried on, and the answer to its place
    unsure = sure <= params["thresholds"][SHARES.index(share)]
    parts = [cheap, doubt, leaving, *(asked if unsure else [])]
    names = ("experts", "experts_addresses", "experts_lookups", "macs", "loaded")
    return columns(stored=stored, **{name: sum(part.get(name, 0) for part in parts) for name in names})


def network(params: dict[str, Any], name: str, d: int, classes: int) -> dict[str, int]:
    """Price a hidden layer of ReLUs and its readout; the largest output is searched for."""
    width, outputs = len(params[f"{name}-offsets"]), max(classes, 1)
    return {
        "experts": width * (2 * d + 1) + 2 * outputs * width + max(classes - 1, 0),
        "macs": width * (d + outputs),
        "loaded": width * (d + 1) + outputs * (width + 1),
    }
