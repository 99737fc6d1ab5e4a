"""What becomes of each attack. The table is the specification: an attack gains nothing."""

from __future__ import annotations

from dataclasses import dataclass

REFERENCE_OPS = 24
"""What the shipped `conditional-tree` pays for recall 1 on memorization with 256 points."""


@dataclass(frozen=True)
class Verdict:
    """What a row must say."""

    status: str
    says: str = ""
    """A regular expression that is found in the reason."""
    ops: float | None = None
    """The price, where the attack is scored: what was really done for an input."""
    recall: float | None = None
    audit: str | None = None
    """An audit that fails, or does not come to an end."""
    counted: str | None = None
    """How its inputs are counted: ``batch`` or ``one-by-one``."""
    instance: str = "n256-r4"
    seconds: float = 10.0
    landlock: int = 0
    """The version of Landlock that it takes to hold the attack."""


_OUT = Verdict("refused", "would take a value out of the meter")
_TYPE = Verdict("failed", "TypeError")
_NO_MESSAGE = Verdict("refused", "not a message")
_TOO_LONG = Verdict("refused", "too long")
_HONEST = Verdict("ok", ops=REFERENCE_OPS, recall=1.0)
_POINTLESS = Verdict("ok", ops=7, recall=0.0)
_FILES = Verdict("failed", "all refused.*PermissionError", landlock=1)
_NOTHING = Verdict("failed", "all refused", landlock=1)
_TIMEOUT = Verdict("timeout", "time limit has passed", seconds=2.0)
_MEMORY = Verdict("out-of-memory", "out of memory")
_COUPLED = Verdict("invalid", "alone and the same input in a batch", audit="alone-as-in-batches")
_EARLIER = Verdict("refused", "an array of an earlier call")

VERDICTS: dict[str, Verdict] = {
    # Taking values out of the meter.
    **{
        f"takes-value-by-{way}": _OUT
        for way in (
            *("asarray", "complex", "copy", "dlpack", "float", "int", "item", "math", "pickle"),
            *("format", "numpy-function", "python-index", "round", "tolist"),
        )
    },
    "takes-value-by-memoryview": _TYPE,
    "looks-for-values-in-memory": Verdict("failed", "nothing found"),
    "keeps-x-across-passes": _EARLIER,
    "forges-a-handle": _EARLIER,
    "lies-about-a-shape": Verdict("ok", ops=7, recall=0.0, audit="timed-as-metered"),
    # Learning without paying.
    "catches-an-index-out-of-range": Verdict("failed", "index is out of range"),
    "broadcasts-against-a-secret": Verdict("failed", "shapes that depend on values"),
    "squeezes-a-secret": Verdict("ok", ops=8, recall=0.0),
    "takes-more-bits-than-allowed": Verdict("refused", "more than 64 bits"),
    "takes-more-bits-from-few-rows": Verdict("refused", "more than 64 bits"),
    # A bit costs its comparison and a branch, as much as a level of a tree; the label's look-up is Python's.
    "computes-on-bits-in-python": Verdict("ok", ops=23, recall=1.0, seconds=60.0),
    **{f"learns-a-value-by-{way}": _TYPE for way in ("a-range", "a-shape", "an-axis")},
    "looks-up-by-rolling": _TYPE,
    "computes-by-linspace": _TYPE,
    "rounds-by-text": _TYPE,
    "rounds-by-dates": _TYPE,
    "rounds-by-a-sum": Verdict("refused", "free bits"),
    "rounds-by-assignment": Verdict("refused", "free bits"),
    "compares-by-initial": Verdict("refused", "initial"),
    "writes-by-out": Verdict("refused", "out"),
    "refunds-by-empty-sums": _POINTLESS,
    "fails-after-peeking": _MEMORY,
    # Passes, positions, batches.
    "answers-by-position": _COUPLED,
    "answers-by-position-in-a-batch": _COUPLED,
    "answers-otherwise-when-alone": _COUPLED,
    "remembers-the-batches": _COUPLED,
    "is-cheap-when-alone": Verdict("ok", ops=47, recall=0.0),
    "knows-the-split-by-its-size": Verdict(
        "ok", ops=50, recall=0.0, counted="one-by-one", instance="n4096-r4"
    ),
    # Patches and disguises.
    "patches-everything": _HONEST,
    "hides-its-phases": _HONEST,
    "lets-the-router-work": _HONEST,
    "computes-on-in-a-thread": _HONEST,
    "floods-its-output": _HONEST,
    "registers-for-the-end": _HONEST,
    "names-arrays-like-paths": _HONEST,
    "brings-modules-of-known-names": _HONEST,
    "is-a-duck": Verdict("failed", "expected it to give a sparsebench.Submission"),
    "is-abstract": _TYPE,
    "lies-about-its-class": Verdict("ok", ops=1, recall=0.0),
    # Timing, which is never scored.
    "is-fast-when-timed": Verdict("ok", ops=REFERENCE_OPS, audit="timed-as-metered"),
    "keeps-its-answer-when-timed": Verdict("ok", ops=REFERENCE_OPS, recall=1.0, audit="timed-as-metered"),
    "sleeps-when-timed": Verdict("ok", ops=7, recall=0.0, audit="timed-as-metered", seconds=3.0),
    # The pipe.
    "pipe-answers-before-asked": Verdict("refused", "before it was asked"),
    "pipe-answers-twice": Verdict("refused", "before it was asked"),
    "pipe-answers-nonsense": _NO_MESSAGE,
    "pipe-answers-another-handle": _EARLIER,
    "pipe-asks-other-verbs": _NO_MESSAGE,
    "pipe-calls-methods-of-the-engine": Verdict("refused", "priced operations"),
    "pipe-sends-garbage": _TOO_LONG,
    "pipe-sends-no-json": _NO_MESSAGE,
    "pipe-sends-deep-json": _NO_MESSAGE,
    "pipe-sends-deep-arguments": Verdict("refused", "nested too deeply"),
    "pipe-sends-a-list": _NO_MESSAGE,
    "pipe-sends-nan": _NO_MESSAGE,
    "pipe-sends-huge-integers": _NO_MESSAGE,
    "pipe-announces-a-huge-header": _TOO_LONG,
    "pipe-announces-a-huge-payload": _TOO_LONG,
    "pipe-asks-a-million-times": Verdict("refused", "more than 1,048,576 requests", seconds=120.0),
    "pipe-never-stops-asking": _TIMEOUT,
    "pipe-is-closed": Verdict("failed", "closed its pipe"),
    "pipe-is-written-by-a-thread": Verdict("refused", "too long|not a message"),
    "pipe-tells-an-ugly-error": Verdict("failed", r"\[2J"),
    "pipe-tells-an-odd-error": _NO_MESSAGE,
    "pipe-lies-at-loading": _NO_MESSAGE,
    "pipe-asks-in-fit": Verdict("refused", "outside of predict"),
    "pipe-sends-a-bad-model": Verdict("failed", "are no arrays"),
    "pipe-sends-a-strange-dtype": Verdict("failed", "got float16"),
    # Files.
    **{f"reads-the-test-{where}": _FILES for where in ("at-import", "in-fit", "in-predict")},
    **{f"reads-the-test-through-{way}": _FILES for way in ("a-link", "proc")},
    "reads-its-parent": _FILES,
    "reads-the-machine": _FILES,
    "makes-a-device": _FILES,
    "reads-inherited-files": Verdict("failed", "all refused"),
    "reads-the-environment": Verdict("failed", "all refused"),
    "reads-other-cells": _NOTHING,
    "loads-the-task": Verdict("failed", "NotFoundError|PermissionError", landlock=1),
    "searches-for-data": _NOTHING,
    "writes-outside": _NOTHING,
    "changes-its-own-code": Verdict("failed", "PermissionError", landlock=1),
    "uses-roots-powers": _NOTHING,
    "traces-its-parent": _NOTHING,
    "signals-its-parent": Verdict("failed", "PermissionError", landlock=6),
    "connects": Verdict("failed", "PermissionError", landlock=4),
    # Ends.
    "exits": Verdict("failed", "SystemExit"),
    "exits-hard": Verdict("failed", "code 0"),
    "exits-hard-in-predict": Verdict("failed", "code 7"),
    "exits-at-import": Verdict("failed", "code 5"),
    "kills-itself-oddly": Verdict("failed", "killed by"),
    "crashes": Verdict("failed", "SIGSEGV"),
    "leaves-a-process": _POINTLESS,
    "leaves-the-pipe-to-its-child": _TIMEOUT,
    "sleeps": _TIMEOUT,
    "sleeps-at-import": _TIMEOUT,
    # Limits.
    "makes-a-huge-file": Verdict("failed", "OSError"),
    "makes-deep-folders": _POINTLESS,
    "takes-all-memory": _MEMORY,
    "takes-all-memory-bit-by-bit": _MEMORY,
    "fills-the-meter-with-constants": Verdict("timeout|out-of-memory|ok", seconds=3.0),
    "fills-the-meter-with-handles": Verdict("timeout|out-of-memory|refused", seconds=3.0),
    "stretches-an-array": Verdict("out-of-memory", "too many bytes"),
    "sums-for-ever": Verdict("out-of-memory", "too many bytes"),
    # Models that are none, and errors.
    "returns-a-huge-model": _MEMORY,
    "returns-many-arrays": Verdict("failed", "at most 4,096 arrays"),
    "returns-nan": Verdict("invalid", "not finite"),
    "returns-objects": Verdict("failed", "got object"),
    "returns-half-floats": Verdict("failed", "got float16"),
    "returns-a-lying-array": Verdict("failed", "matmul"),
    "returns-a-lying-dict": Verdict("failed", "array of real numbers"),
    "returns-metadata": Verdict("failed", "are no arrays"),
    "raises-ugly-errors": Verdict("failed", "ValueError"),
    "raises-what-cannot-be-printed": Verdict("failed", "cannot be printed"),
    "raises-an-interrupt": Verdict("failed", "KeyboardInterrupt"),
    "raises-end-of-file": Verdict("failed", "code 1"),
    "raises-our-own-errors": Verdict("failed", "InvalidResultError"),
}
