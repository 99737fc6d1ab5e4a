"""The table of K-TanH (Kundu et al. 2019), which the primitive and compiled loops share."""

from __future__ import annotations

__all__ = ["K_TANH_TABLE"]

K_TANH_TABLE: tuple[tuple[int, int, int], ...] = (
    *((126, 2, 119), (126, 4, 122), (126, 4, 123), (126, 4, 123)),
    *((126, 6, 126), (126, 6, 126), (126, 6, 126), (126, 6, 126)),
    *((125, 1, 1), (125, 0, -4), (125, 0, -6), (125, 0, -7)),
    *((125, 0, -10), (125, 0, -12), (125, 0, -15), (125, 0, -18)),
    *((125, 0, 112), (126, 1, -4), (126, 1, -1), (126, 1, 2)),
    *((126, 1, 3), (126, 1, 4), (126, 1, 4), (126, 1, 4)),
    *((126, 0, 65), (126, 1, 72), (126, 1, 73), (126, 1, 73)),
    *((126, 2, 88), (126, 2, 89), (126, 2, 89), (126, 4, 110)),
)
"""Records (exponent, shift, offset) of the result, in the paper's order: by the two lowest bits of the
exponent of a bfloat16 number, then the three highest of its mantissa. Exponents are biased by 127."""
