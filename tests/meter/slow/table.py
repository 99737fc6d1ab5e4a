"""Every operation that the slow counter does, by the name of the rule, with the rule's arguments."""

from __future__ import annotations

from meter.slow import elementwise, indexing, products, reductions, shapes
from ops.specimen import having

TABLES = (*(topic.TABLE for topic in (elementwise, indexing, products, reductions, shapes)), having("slow"))
SLOW = {name: function for table in TABLES for name, function in table.items()}
assert len(SLOW) == sum(map(len, TABLES)), "two topics do one operation"

CONSTANTS = frozenset(
    {
        *("arange", "empty", "empty_like", "eye", "full", "full_like", "linspace", "ones", "ones_like"),
        *("zeros", "zeros_like", "fft.fftfreq", "fft.rfftfreq"),
    }
)
"""What makes constants, whatever it is given."""
WIRING = frozenset(
    {
        *("broadcast_arrays", "broadcast_to", "concat", "copy", "expand_dims", "flip", "matrix_transpose"),
        *(
            "meshgrid",
            "moveaxis",
            "permute_dims",
            "positive",
            "repeat",
            "reshape",
            "roll",
            "squeeze",
            "stack",
        ),
        *(
            "tile",
            "tril",
            "triu",
            "unstack",
            "getitem",
            "nonzero",
            "astype",
            "real",
            "imag",
            "linalg.diagonal",
        ),
        *("fft.fftshift", "fft.ifftshift"),
    }
)
"""What only moves numbers about: of constants it makes constants."""
MOVES = frozenset(
    {
        *("broadcast_arrays", "broadcast_to", "concat", "flip", "meshgrid", "repeat", "reshape", "roll"),
        *("squeeze", "stack", "tile", "tril", "triu", "unstack", "getitem", "setitem", "take"),
        *("take_along_axis", "linalg.diagonal", "fft.fftshift", "fft.ifftshift"),
    }
)
"""Where numbers go by lengths of operands; primitives too, which may be free where an index is a constant."""
MOVES |= having("slow").keys()
