"""What becomes of each attack. The table is the specification: an attack gains nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

REFERENCE_OPS = 31
"""What the shipped `conditional-tree` pays for recall 1 on memorization with 256 points."""

STEERED_OPS = 23
"""What it costs to walk that tree by bits that leave: of each level, its comparison and its branch."""


@dataclass(frozen=True)
class Verdict:
    """What a row must say."""

    status: str
    says: str = ""
    """A regular expression that is found in the reason."""
    ops: float | None = None
    """The price, where the attack is scored: what was really done for an input."""
    least: float = 0
    """What it must cost at least, where it is scored and its price is no matter."""
    recall: float | None = None
    stores: int = 0
    """Bytes that the row must say more of, where a model is too large to be scored."""
    audit: str | None = None
    """An audit that fails, or does not come to an end."""
    counted: str | None = None
    """How its inputs are counted: ``batch`` or ``one-by-one``."""
    instance: str = "n256-r4"
    seconds: float = 60.0
    level: str = "none"
    """The weakest level of the sandbox at which it is held."""
    stopped_by: str = "nothing is stopped: it gains nothing"
    """What holds it, in the words of docs/trust.md."""
    restricted: Verdict | None = None
    """What the row says at the level ``restricted``, where it says something else."""

    def at(self, level: str) -> Verdict:
        """Give the verdict at a level."""
        return self.restricted if level == "restricted" and self.restricted else self


_BLIND = "blindness: values stay in the harness's process"
_PAID = "the meter: what leaves it is a bit, counted and paid for, 16 at most for an input"
_PAID_FOR = "the meter: every selection is an operation, and only wiring is free"
_RULES = "the meter: no such call, or not with such arguments"
_PASSES = "passes are strangers: processes of their own, in orders drawn afresh, whose answers are compared"
_WASTE = "what counts is what an input costs alone, and batches may not cost more"
_UNTOLD = "nothing that a process says of itself is believed"
_HELD = "what was timed is compared with what was counted; time is never ranked"
_REFERENCE = "the reference is what is scored; a kernel runs in a process of its own, and loses its time"
_CHECKED = "every message is checked"
_ALONE = "its own loss: a process that ends gives a row, and the run goes on"
_CLOCK = "the clock: the process and all that it started are killed"
_WATCH = "limits: address space of a process, memory of all of them, which is watched"
_CONTRACT = "the contract: what `fit` returns is checked, array by array"
_WORDS = "texts of errors are cut, cleaned, and dropped once a bit has left the meter"
_LANDLOCK = "Landlock: no rule opens that path"
_SECCOMP = "seccomp: the call is refused"
_CAPABILITIES = "another user, no capabilities, and seccomp"
_STRANGERS = "seccomp, Landlock's scopes, and another user; where there are PID namespaces nobody is there"
_REAPED = "whoever is left is killed: as a PID namespace, or as descendants"
_BOUND = "limits: so many processes and threads"
_DISK = "limits: a folder of a fixed size, or one that is watched"

_BUDGET = "the score: a budget buys what one variant does over all seeds, and what is given up is nothing"
_ROOM = "the score: what stores more than 16 MiB is shown, and scores nothing"

_OUT = Verdict("refused", "would take a value out of the meter", stopped_by=_BLIND)
_TYPE = Verdict("failed", "TypeError", stopped_by=_RULES)
_NO_MESSAGE = Verdict("refused", "not a message", stopped_by=_CHECKED)
_TOO_LONG = Verdict("refused", "too long", stopped_by=_CHECKED)
_HONEST = Verdict("ok", ops=REFERENCE_OPS, recall=1.0, stopped_by=_UNTOLD)
_POINTLESS = Verdict("ok", ops=7, recall=0.0)
_FILES = Verdict("failed", "all refused.*Error", level="restricted", stopped_by=_LANDLOCK)
_NOTHING = Verdict("failed", "all refused", level="restricted", stopped_by=_LANDLOCK)
_CALLS = replace(_NOTHING, stopped_by=_SECCOMP)
_TIMEOUT = Verdict("timeout", "time limit has passed", seconds=2.0, stopped_by=_CLOCK)
_MEMORY = Verdict("out-of-memory", "out of memory", stopped_by=_WATCH)
_TREE = Verdict(
    "out-of-memory|failed",
    "out of memory|more memory than|all refused",
    level="restricted",
    stopped_by=_WATCH,
)
_FULL = Verdict("failed|out-of-memory", "all refused|killed|disk|files", level="restricted", stopped_by=_DISK)
_LEFT = replace(_POINTLESS, level="restricted", stopped_by=_REAPED)
_COUPLED = Verdict(
    "invalid", "alone and the same input in a batch", audit="alone-as-in-batches", stopped_by=_PASSES
)
_EARLIER = Verdict("refused", "an array of an earlier call", stopped_by=_CHECKED)

GROUPS: dict[str, dict[str, Verdict]] = {
    "Taking values out of the meter": {
        **{
            f"takes-value-by-{way}": _OUT
            for way in (
                *("asarray", "complex", "copy", "dlpack", "float", "int", "item", "math", "pickle"),
                *("format", "numpy-function", "python-index", "round", "tolist"),
            )
        },
        "takes-value-by-memoryview": replace(_TYPE, stopped_by=_BLIND),
        "looks-for-values-in-memory": Verdict("failed", "nothing found", stopped_by=_BLIND),
        "searches-its-own-memory": Verdict("failed", "all refused", seconds=60.0, stopped_by=_BLIND),
        "keeps-x-across-passes": _EARLIER,
        "forges-a-handle": _EARLIER,
        "lies-about-a-shape": Verdict("ok", ops=7, recall=0.0, audit="timed-as-metered", stopped_by=_UNTOLD),
        "tells-bits-in-errors": Verdict("failed", "ValueError", stopped_by=_WORDS),
    },
    "Learning without paying": {
        "catches-an-index-out-of-range": Verdict("failed", "index is out of range", stopped_by=_RULES),
        "broadcasts-against-a-secret": Verdict("failed", "shapes that depend on values", stopped_by=_RULES),
        "squeezes-a-secret": Verdict("ok", ops=12, recall=0.0, stopped_by=_PAID),
        "takes-more-bits-than-allowed": Verdict("refused", "more than 16 bits", stopped_by=_PAID),
        "takes-more-bits-from-few-rows": Verdict("refused", "more than 16 bits", stopped_by=_PAID),
        # A bit costs its comparison and a branch, about a level of a tree; the look-up is Python's. A network
        # on 16 bits (test_computing_outside.py) is scored: it is no better than a table of 2^16 cells.
        "computes-on-bits-in-python/tree": Verdict(
            "ok", ops=STEERED_OPS, recall=1.0, seconds=60.0, stopped_by=_PAID
        ),
        **{
            f"computes-on-bits-in-python/network-{bits}": Verdict(
                "refused", "more than 16 bits", instance="hypercube", stopped_by=_PAID
            )
            for bits in (32, 64)
        },
        # The least is what its 64 hidden units of 15 literals take in gates of two inputs.
        "free-net": Verdict("ok", least=64 * 14, seconds=60.0, instance="synthetic-4", stopped_by=_PAID_FOR),
        **{f"learns-a-value-by-{way}": _TYPE for way in ("a-range", "a-shape", "an-axis")},
        "looks-up-by-rolling": _TYPE,
        "computes-by-linspace": _TYPE,
        "rounds-by-text": _TYPE,
        "rounds-by-dates": _TYPE,
        "rounds-by-a-sum": Verdict("refused", "free bits", stopped_by=_RULES),
        "rounds-by-assignment": Verdict("refused", "free bits", stopped_by=_RULES),
        "compares-by-initial": Verdict("refused", "initial", stopped_by=_RULES),
        "writes-by-out": Verdict("refused", "out", stopped_by=_RULES),
        "refunds-by-empty-sums": replace(_POINTLESS, stopped_by=_PAID),
        "fails-after-peeking": replace(_MEMORY, seconds=60.0, stopped_by=_PAID),
    },
    "Passes, positions, batches": {
        "answers-by-position": _COUPLED,
        "answers-by-position-in-a-batch": _COUPLED,
        "answers-otherwise-when-alone": _COUPLED,
        "remembers-the-batches": _COUPLED,
        "is-cheap-when-alone": Verdict(
            "invalid",
            r"batches cost \d+ operations per input, the same inputs alone \d+;",
            audit="cost-in-batches",
            stopped_by=_WASTE,
        ),
        "answers-from-a-table-when-alone": Verdict(
            "invalid", "batches cost", audit="cost-in-batches", stopped_by=_WASTE
        ),
        "knows-the-split-by-its-size": Verdict(
            "ok", ops=50, recall=0.0, counted="one-by-one", instance="n4096-r4", stopped_by=_PASSES
        ),
    },
    "What passes could have in common": {
        "orders-by-a-set": _COUPLED,
        "answers-by-addresses": _COUPLED,
        "answers-by-an-address-of-its-own": _COUPLED,
        "draws-from-the-global-state": _COUPLED,
        "draws-from-pythons-random": _COUPLED,
        "answers-by-the-clock": _COUPLED,
        "answers-by-its-folder": _COUPLED,
        # In a PID namespace of its own every process has the number 1.
        "answers-by-its-number": Verdict("ok", recall=0.0, stopped_by=_PASSES, restricted=_COUPLED),
        "orders-by-a-set-in-fit": Verdict(
            "ok", recall=0.0, stopped_by="`sparsebench check`: two runs differ"
        ),
        "draws-from-the-global-state-in-fit": Verdict(
            "ok", recall=0.0, stopped_by="`sparsebench check`: two runs differ"
        ),
    },
    "Knowing the answers": {
        "knows-the-test/guesses": Verdict(
            "invalid",
            "standard errors apart",
            audit="known-answers",
            instance="rough-1d",
            stopped_by="fresh inputs: their quality must not be worse",
        ),
        "knows-the-test/errs-hugely": Verdict(
            "invalid",
            "standard errors apart",
            audit="known-answers",
            instance="rough-1d",
            stopped_by="fresh inputs: errors are cut off before their spread is taken",
        ),
        "knows-the-test/works": Verdict(
            "invalid",
            r"fresh inputs of the same target cost \d+ operations, those of the test split \d+",
            audit="known-answers",
            instance="rough-1d",
            stopped_by="fresh inputs: they must not cost more",
        ),
        "knows-the-test/fails": Verdict(
            "failed",
            "ValueError",
            instance="rough-1d",
            stopped_by="fresh inputs: an error there is the cell's",
        ),
    },
    "From one process to the next": {
        "channels/says": Verdict(
            "failed", "nothing arrived by", level="restricted", seconds=60.0, stopped_by=_SECCOMP
        ),
        "channels/everywhere": replace(_LEFT, seconds=60.0),
        "cross-pass": Verdict(
            "failed", "shmget", level="restricted", stopped_by=_SECCOMP, instance="distance-2d"
        ),
        "cross-cell/spy": Verdict(
            "failed", "shmget", level="restricted", stopped_by=_SECCOMP, instance="distance-2d"
        ),
        "cross-cell/thief": Verdict(
            "failed", "shmget|nothing there", level="restricted", stopped_by=_SECCOMP, instance="distance-2d"
        ),
        "whispers": Verdict(
            "failed",
            "whispered: ",
            seconds=60.0,
            stopped_by="nothing: see [what does not hold](#what-does-not-hold-yet)",
        ),
    },
    "Patches and disguises": {
        "patches-everything": _HONEST,
        "hides-its-phases": _HONEST,
        "lets-the-router-work": _HONEST,
        "computes-on-in-a-thread": _HONEST,
        "floods-its-output": _HONEST,
        "registers-for-the-end": _HONEST,
        "names-arrays-like-paths": _HONEST,
        "brings-modules-of-known-names": _HONEST,
        "is-a-duck": Verdict("failed", "expected it to give a sparsebench.Submission", stopped_by=_CONTRACT),
        "is-abstract": replace(_TYPE, stopped_by=_CONTRACT),
        "lies-about-its-class": Verdict("ok", ops=1, recall=0.0, stopped_by=_UNTOLD),
    },
    "Timing, which is never scored": {
        "is-fast-when-timed": Verdict("ok", ops=REFERENCE_OPS, audit="timed-as-metered", stopped_by=_HELD),
        "keeps-its-answer-when-timed": Verdict(
            "ok", ops=REFERENCE_OPS, recall=1.0, audit="timed-as-metered", stopped_by=_HELD
        ),
        "sleeps-when-timed": Verdict(
            "ok", ops=7, recall=0.0, audit="timed-as-metered", seconds=3.0, stopped_by=_CLOCK
        ),
    },
    "Kernels of its own": {
        # Four additions, and an inner product: what is scored is the reference.
        **{
            f"kernel-{what}": Verdict("ok", ops=11, recall=0.0, stopped_by=_REFERENCE)
            for what in ("does-not-compile", "never-ends", "reads-out-of-bounds", "writes-out-of-bounds")
        },
    },
    "The pipe": {
        "pipe-answers-before-asked": Verdict("refused", "before it was asked", stopped_by=_CHECKED),
        "pipe-answers-twice": Verdict("refused", "before it was asked", stopped_by=_CHECKED),
        "pipe-answers-nonsense": _NO_MESSAGE,
        "pipe-answers-another-handle": _EARLIER,
        "pipe-asks-other-verbs": _NO_MESSAGE,
        "pipe-calls-methods-of-the-engine": Verdict("refused", "priced operations", stopped_by=_CHECKED),
        "pipe-sends-garbage": _TOO_LONG,
        "pipe-sends-no-json": _NO_MESSAGE,
        "pipe-sends-deep-json": _NO_MESSAGE,
        "pipe-sends-deep-arguments": Verdict("refused", "nested too deeply", stopped_by=_CHECKED),
        "pipe-sends-a-list": _NO_MESSAGE,
        "pipe-sends-nan": _NO_MESSAGE,
        "pipe-sends-huge-integers": _NO_MESSAGE,
        "pipe-announces-a-huge-header": _TOO_LONG,
        "pipe-announces-a-huge-payload": _TOO_LONG,
        "pipe-asks-a-million-times": Verdict(
            "refused", "more than 1,048,576 requests", seconds=120.0, stopped_by=_CHECKED
        ),
        "pipe-never-stops-asking": _TIMEOUT,
        "pipe-is-closed": Verdict("failed", "closed its pipe", stopped_by=_ALONE),
        "pipe-is-written-by-a-thread": Verdict("refused", "too long|not a message", stopped_by=_CHECKED),
        "pipe-tells-an-ugly-error": Verdict("failed", r"\[2J", stopped_by=_WORDS),
        "pipe-tells-an-odd-error": _NO_MESSAGE,
        "pipe-lies-at-loading": _NO_MESSAGE,
        "pipe-asks-in-fit": Verdict("refused", "outside of predict", stopped_by=_CHECKED),
        "pipe-sends-a-bad-model": Verdict("failed", "are no arrays", stopped_by=_CHECKED),
        "pipe-sends-a-strange-dtype": Verdict("failed", "got float16", stopped_by=_CHECKED),
    },
    "Files": {
        **{f"reads-the-test-{where}": _FILES for where in ("at-import", "in-fit", "in-predict")},
        **{f"reads-the-test-through-{way}": _FILES for way in ("a-link", "proc")},
        "reads-by-handle": _CALLS,
        "reads-its-parent": _FILES,
        "reads-the-machine": _FILES,
        "makes-a-device": replace(_FILES, stopped_by=_CAPABILITIES),
        "reads-inherited-files": Verdict(
            "failed", "all refused", stopped_by="it is started with its two pipes, and nothing else"
        ),
        "reads-the-environment": Verdict(
            "failed", "all refused", stopped_by="it is started with a clean environment"
        ),
        "reads-other-cells": _NOTHING,
        "loads-the-task": Verdict(
            "failed",
            "NotFoundError|PermissionError|ModuleNotFoundError",
            level="restricted",
            stopped_by=_LANDLOCK,
        ),
        "searches-for-data": _NOTHING,
        "watches-files": _NOTHING,
        "writes-outside": _NOTHING,
        "changes-its-own-code": Verdict(
            "failed", "PermissionError|OSError", level="restricted", stopped_by=_LANDLOCK
        ),
        "changes-what-it-does-not-own": replace(
            _NOTHING,
            stopped_by="another user; seccomp where there is none, or a file system that is read only",
        ),
    },
    "The machine and other processes": {
        "uses-roots-powers": replace(_NOTHING, stopped_by=_CAPABILITIES),
        "makes-namespaces": replace(_NOTHING, stopped_by=_CAPABILITIES),
        "uses-odd-system-calls": _CALLS,
        "calls-by-another-door": replace(
            _CALLS, stopped_by="seccomp: other doors end the process, or are shut"
        ),
        "opens-sockets": _CALLS,
        "connects": Verdict("failed", "PermissionError", level="restricted", stopped_by=_SECCOMP),
        "traces-its-parent": replace(_NOTHING, stopped_by=_STRANGERS),
        "signals-its-parent": replace(_NOTHING, stopped_by=_STRANGERS),
        "signals-by-open-files": replace(_NOTHING, stopped_by=_STRANGERS),
        "meddles-with-other-processes": replace(_NOTHING, stopped_by=_STRANGERS),
        "prlimit": replace(_NOTHING, stopped_by=_STRANGERS),
    },
    "Ends, and what stays": {
        "exits": Verdict("failed", "SystemExit", stopped_by=_ALONE),
        "exits-hard": Verdict("failed", "code 0", stopped_by=_ALONE),
        "exits-hard-in-predict": Verdict("failed", "code 7", stopped_by=_ALONE),
        "exits-at-import": Verdict("failed", "code 5", stopped_by=_ALONE),
        # The first process of a PID namespace ignores what it has no handler for: it sleeps on.
        "kills-itself-oddly": replace(_TIMEOUT, restricted=Verdict("failed", "killed by", stopped_by=_ALONE)),
        "crashes": Verdict("failed", "SIGSEGV", stopped_by=_ALONE),
        "leaves-a-process": replace(_POINTLESS, stopped_by=_REAPED),
        "leaves-a-daemon": _LEFT,
        "leaves-a-daemon-in-its-session": _LEFT,
        "leaves-a-sibling": _LEFT,
        "leaves-a-program": _LEFT,
        "runs-away": _LEFT,
        "leaves-the-pipe-to-its-child": Verdict("failed", "code 0", stopped_by=_REAPED),
        "sleeps": _TIMEOUT,
        "sleeps-at-import": _TIMEOUT,
        "ignores-being-told-to-end": _TIMEOUT,
        "stops-itself": _TIMEOUT,
    },
    "Limits": {
        "forks-without-end": Verdict(
            "failed", "all refused", level="restricted", seconds=60.0, stopped_by=_BOUND
        ),
        "starts-threads-without-end": Verdict(
            "failed", "all refused", level="restricted", seconds=60.0, stopped_by=_BOUND
        ),
        "makes-a-huge-file": Verdict("failed", "OSError", stopped_by="limits: the size of a file"),
        "makes-deep-folders": replace(
            _POINTLESS,
            stopped_by="folders of any depth are removed",
            # A folder closed to who watches it is too much, if it is seen before all is over.
            restricted=Verdict("ok|failed", stopped_by=_DISK),
        ),
        "makes-many-files": replace(_FULL, seconds=60.0),
        "fills-its-folder": replace(_FULL, seconds=60.0),
        "fills-its-folder-with-files-that-have-no-name": replace(_FULL, seconds=60.0),
        "fills-a-folder-that-is-closed": replace(_FULL, seconds=60.0),
        "fills-folders-that-are-too-deep": replace(_FULL, seconds=60.0),
        "takes-all-memory": _MEMORY,
        "takes-all-memory-bit-by-bit": _MEMORY,
        "takes-memory-in-children": replace(_TREE, seconds=60.0),
        "takes-memory-in-shared-pages": replace(_TREE, seconds=60.0),
        "takes-memory-in-orphans": replace(_TREE, seconds=60.0),
        "takes-memory-in-siblings": replace(_TREE, seconds=60.0),
        "takes-memory-in-memfds": replace(_TREE, seconds=60.0, stopped_by=_SECCOMP),
        "takes-memory-in-pipes": replace(
            _TREE, seconds=60.0, stopped_by="limits: open files; the kernel's own, for a user"
        ),
        "fills-the-meter-with-constants": Verdict("timeout|out-of-memory|ok", seconds=3.0, stopped_by=_CLOCK),
        "fills-the-meter-with-handles": Verdict(
            "timeout|out-of-memory|refused", seconds=3.0, stopped_by=_CLOCK
        ),
        "stretches-an-array": Verdict(
            "out-of-memory", "too many bytes", stopped_by="limits: bytes that the meter holds"
        ),
        "sums-for-ever": Verdict(
            "out-of-memory", "too many bytes", stopped_by="limits: bytes that the meter holds"
        ),
    },
    "Models that are none, and errors": {
        "returns-a-huge-model": _MEMORY,
        "returns-many-arrays": Verdict("failed", "at most 4,096 arrays", seconds=60.0, stopped_by=_CONTRACT),
        "returns-nan": Verdict("failed", "got NaN in 'w'", stopped_by=_CONTRACT),
        "answers-nan": Verdict("invalid", "not finite|finite", stopped_by="predictions must be finite"),
        "returns-objects": Verdict("failed", "got object", stopped_by=_CONTRACT),
        "returns-half-floats": Verdict("failed", "got float16", stopped_by=_CONTRACT),
        "returns-a-lying-array": Verdict("failed", "matmul", stopped_by=_CONTRACT),
        "returns-a-lying-dict": Verdict("failed", "names that are text, got 5", stopped_by=_CONTRACT),
        "returns-metadata": Verdict("failed", "are no arrays", stopped_by=_CONTRACT),
        "raises-ugly-errors": Verdict("failed", "ValueError", stopped_by=_WORDS),
        "raises-what-cannot-be-printed": Verdict("failed", "cannot be printed", stopped_by=_WORDS),
        "raises-an-interrupt": Verdict("failed", "KeyboardInterrupt", stopped_by=_ALONE),
        "raises-end-of-file": Verdict("failed", "code 70", stopped_by=_ALONE),
        "raises-our-own-errors": Verdict("failed", "InvalidResultError", stopped_by=_WORDS),
    },
    # What their cells say is true. They are after a better score of them: see test_scores.py.
    "A better score of the same cells": {
        "mixer": replace(_HONEST, stopped_by=_BUDGET),
        "quits-by-rng": replace(_HONEST, stopped_by=_BUDGET),
        "fails-with-one-seed": replace(
            _HONEST, stopped_by="the score: a seed that is missing or fails costs its share"
        ),
        "clones": Verdict(
            "ok",
            ops=54,
            stopped_by="the score: 16 variants at most, luck is taken out, and a lead below .005 is none",
        ),
        "sniffs-the-instance": replace(
            _HONEST, stopped_by="nothing: it may, and gains nothing over its variants"
        ),
        **{
            f"stores-too-much/{where}": replace(_HONEST, stores=16 << 20, stopped_by=_ROOM)
            for where in ("arrays", "constants", "names", "shapes")
        },
    },
}
"""The attacks by what they are after."""

VERDICTS: dict[str, Verdict] = {name: verdict for group in GROUPS.values() for name, verdict in group.items()}
"""All of them: a folder, or where it has several variants that differ, folder/variant."""
