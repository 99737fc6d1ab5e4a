"""Why a counter's number is not the truth: a sentence for every wrong one, held against what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reports.comparison import Figure

_MODULES = "it counts calls of modules such as `nn.Linear`: expert weights in a table belong to none"
_OPAQUE = "the custom operation is not in its table, and counts 0"
_OUTSIDE = "nothing of it passes through torch, and what is not seen counts 0"
_ONE = "it is what that one input costs"
_SLOWEST = "this batch ran all stages for every input; alone, most inputs need fewer"

REASONS: dict[tuple[str, str], str] = {
    ("dense_stacked", "fvcore"): "it reads the cost of a general `einsum` from a printed text of four digits",
    ("dense_stacked", "thop"): _MODULES,
    ("dense_stacked", "ptflops_pytorch"): f"{_MODULES}; `torch.einsum` is not in its table of functions",
    ("dense_stacked", "neurobench_dense"): _MODULES,
    ("gathered", "thop"): _MODULES,
    ("gathered", "ptflops_pytorch"): (
        "it averages modules over the batch, but adds functions such as `torch.bmm` for the whole batch"
    ),
    ("gathered", "neurobench_dense"): _MODULES,
    ("fused", "torch"): f"{_OPAQUE}, without a word",
    ("fused", "fvcore"): f"{_OPAQUE}; it is listed as unsupported",
    ("fused", "thop"): _MODULES,
    ("fused", "ptflops_pytorch"): "the custom operation is neither a module nor a function in its tables",
    ("fused", "ptflops_aten"): f"{_OPAQUE}; with `verbose=True` it is named as a zero-op",
    ("fused", "neurobench_dense"): _MODULES,
    ("exit_each", "fvcore"): "its trace drops the heads whose outputs only steer Python's `if`",
    **{
        ("raw_kernel", counter): _OUTSIDE
        for counter in ("torch", "fvcore", "thop", "ptflops_pytorch", "ptflops_aten", "neurobench_dense")
    },
}
"""(style, counter) -> why a figure is off."""


def reason(figure: Figure) -> str:
    """Say why a figure is not the truth, in a few words; nothing if it is.

    Raises
    ------
    LookupError
        If nobody has looked into it yet: a new version of a tool says something else than the last one did.
    """
    if figure.right:
        return ""
    if figure.macs is None:
        return figure.remarks[0]
    if figure.style.startswith("exit") and (why := _exit_reason(figure)):
        return why
    why = REASONS.get((figure.style, figure.counter))
    if not why:
        said = f"{figure.counter} says {figure.macs}"
        raise LookupError(f"{figure.style}, {figure.setting}: no reason is known why {said}")
    return why


def _exit_reason(figure: Figure) -> str | None:
    if figure.setting == "first":
        return _ONE
    if figure.style == "exit_slowest" and figure.setting == "batch":
        return _SLOWEST
    return None


def idle_reasons(figures: list[Figure]) -> list[str]:
    """Name the reasons that no wrong figure needs any longer."""
    wrong = {(f.style, f.counter) for f in figures if not f.right and not _exit_reason(f)}
    return [f"{style}: the reason for {counter} is idle" for style, counter in REASONS.keys() - wrong]
