"""Pages and tables of comparisons with peers, from what was measured. Needs neither peers nor a GPU."""

from __future__ import annotations

import math

NOT_MEASURED = "not measured"
# Goals: how many times as fast as the fastest peer, and how many times its floor a backend takes at most.
_TIMES = {"mlp-256": 3.0, "tree": 2.5, "hash": 2.5}
_GPU_TIMES = {
    "routed-float32": 3.0,
    "routed-bfloat16": 3.0,
    "merged-8-float32": 2.0,
    "merged-64-float32": 2.0,
    "merged-8-bfloat16": 2.0,
    "merged-64-bfloat16": 2.0,
    "large-experts": 0.9,
}
_GPU_FLOORS = {"routed-float32": 1.5, "routed-bfloat16": 1.5, "tree": 2.0}
_PRODUCTS = {
    "float32": ("float32 product, FLOP/s", "tf32 product, FLOP/s"),
    "bfloat16": ("bfloat16 product, FLOP/s",),
}
_COPY = "copy, bytes/s"
_READS = "random 4-byte reads of 512 MB, 1/s"
_GPU_CASES = (
    "routed-float32",
    "routed-bfloat16",
    "merged-8-float32",
    "merged-64-float32",
    "merged-8-bfloat16",
    "merged-64-bfloat16",
    "tree",
    "large-experts",
)


def figure(seconds):
    """Write seconds as milliseconds, to three digits."""
    ms = seconds * 1e3
    return (
        f"{ms:,.0f}" if ms >= 100 else f"{ms:.{2 - max(0, math.floor(math.log10(ms)))}f}" if ms > 0 else "0"
    )


def spread(quartiles):
    """Write a median with its quartiles, in milliseconds."""
    low, middle, high = map(figure, quartiles)
    return f"{middle} ({low} to {high})"


def table(head, rows, numbers):
    """Write a table whose columns from ``numbers`` on are aligned to the right."""
    rule = ["---:" if place >= numbers else "---" for place in range(len(head))]
    return [f"| {' | '.join(row)} |" for row in (head, rule, *rows)]


def floor_of(floor, ceilings):
    """Return the least seconds for what must be moved, computed and read; None without ceilings."""
    if not ceilings:
        return None
    # Float32 products can be made of three in TF32, which is faster: the better of both is the ceiling.
    rates = [ceilings[name] for name in _PRODUCTS[floor["kind"]]]
    best = max(rates[0], rates[1] / 3) if len(rates) > 1 else rates[0]
    return max(floor["bytes"] / ceilings[_COPY], floor["flops"] / best, floor["gathers"] / ceilings[_READS])


def best_seconds(contestant):
    """Return the shorter of the medians of calls and of replays; None if it failed or is wrong."""
    if not contestant.get("right"):
        return None
    return min(contestant[key][1] for key in ("calls", "graph") if key in contestant)


def _cpu_rows(found):
    base = next(iter(found.values()))["quartiles"][1]
    for name, told in found.items():
        if "missing" in told:
            yield [name, told["missing"], "-", "-"]
            continue
        answers = "agree" if told["equal"] else f"**differ by {told['off']:.1e}**"
        yield [
            f"*{name}*" if told["floor"] else name,
            spread(told["quartiles"]),
            f"{told['quartiles'][1] / base:.2f}",
            "-" if told["floor"] else answers,
        ]


def _times(goal):
    return f"at least {goal:g} times as fast as the fastest peer"


def cpu_verdicts(found):
    """Return (case, goal, whether it is met, told) of every case of which peers were there."""
    verdicts = []
    for name, case in found["cases"].items():
        timed = {who: told for who, told in case["backends"].items() if "quartiles" in told}
        ours = min(told["quartiles"][1] for told in timed.values() if told["ours"])
        peers = {
            who: told["quartiles"][1] for who, told in timed.items() if not told["ours"] and not told["floor"]
        }
        if peers:
            fastest = min(peers, key=peers.__getitem__)
            goal = _TIMES.get(name, 1.0)
            told = f"{peers[fastest] / ours:.2f} times as fast as {fastest}"
            verdicts.append((f"`{name}`", _times(goal), ours * goal <= peers[fastest], told))
    return verdicts


def _listed(versions):
    return ", ".join(f"{name} {version}" for name, version in versions.items() if version != "not installed")


def cpu_section(found):
    """Write the section ``peers-cpu``; ``found`` is what ``peers.py --json`` wrote."""
    versions = found["versions"]
    lines = [
        "## Peers on a processor",
        "",
        "<!-- Written by `python harness/reports/peers.py --python PEERS --write docs/performance.md`.",
        "Do not edit. -->",
        "",
        "The same work by other libraries, in one run: every backend in a process of its own, in turns on",
        f"inputs that are drawn anew for every round; {found['rounds']} rounds of three runs, after one that",
        "is not timed. Milliseconds of a call, with all that it takes: sorting rows by expert, gathering and",
        "scattering too. Ratio and agreement are to the first line; a line in italics computes something",
        "else, and shows what the machine can do at most.",
        "",
        f"Machine: {found['machine']}, {found['threads']} threads. Ours: {_listed(versions['ours'])}.",
        f"Peers: {_listed(versions['peers'])}.",
    ]
    for name, case in found["cases"].items():
        lines += ["", f"### `{name}`", "", f"{case['title']}.", ""]
        head = ["backend", "median (quartiles), ms", "ratio", "answers"]
        lines += table(head, _cpu_rows(case["backends"]), 1)
    lines += ["", "### Goals on a processor", "", *goals(cpu_verdicts(found))]
    return "\n".join(lines) + "\n"


def _gpu_rows(case, floor):
    for name, told in case.get("contestants", {}).items():
        if "failed" in told:
            yield [name, "-", f"failed: {told['failed']}", "-", "-"]
            continue
        note = f" ({told['note']})" if told["note"] else ""
        seconds = best_seconds(told)
        yield [
            name + note,
            f"{told['error']:.1e}" + ("" if told["right"] else " WRONG"),
            spread(told["calls"]),
            spread(told["graph"]) if "graph" in told else told.get("no graph", "-"),
            f"{seconds / floor:.2f}" if seconds and floor and "alone" not in name else "-",
        ]


def gpu_verdicts(found):
    """Return (case, goal, whether it is met, told) of every goal that could be judged."""
    verdicts = []
    for name, case in found.get("cases", {}).items():
        right = {who: best_seconds(told) for who, told in case.get("contestants", {}).items()}
        right = {who: seconds for who, seconds in right.items() if seconds and "alone" not in who}
        ours = {who: seconds for who, seconds in right.items() if who.startswith("ours")}
        peers = {who: seconds for who, seconds in right.items() if not who.startswith("ours")}
        floor = floor_of(case["floor"], found.get("ceilings")) if "floor" in case else None
        if not ours:
            continue
        whole = next(iter(ours.values()))
        if peers:
            goal = _GPU_TIMES.get(name, 1.0)
            fastest = min(peers, key=peers.__getitem__)
            told = f"{peers[fastest] / whole:.2f} times as fast as {fastest.split(';')[0]}"
            verdicts.append((name, _times(goal), whole * goal <= peers[fastest], told))
        if floor and name in _GPU_FLOORS:
            most = _GPU_FLOORS[name]
            told = f"{whole / floor:.2f} times the floor"
            verdicts.append((name, f"at most {most:g} times the floor", whole <= most * floor, told))
    return verdicts


def gpu_section(found):
    """Write the section ``peers-gpu``; ``found`` is what ``peers_gpu.py --json`` wrote, or None."""
    lines = [
        "## Peers on a GPU",
        "",
        "<!-- Written by `python harness/reports/peers.py --write docs/performance.md --gpu-json FILE` from",
        "what `harness/reports/gpu.sh` measured. Do not edit. -->",
        "",
        "Every contestant is checked against float64 on a sample of rows (relative error by the norm) before",
        "it is timed by CUDA events: medians of 20 or more calls with their quartiles, in milliseconds, and",
        "the same of replays of a captured graph, in which the host plays no part. The floor is what the",
        "bytes, the operations and the random reads that the work cannot do without take at the measured",
        "ceilings, whichever is longest; float32 products may be three TF32 products.",
        "",
    ]
    if not found:
        rows = [[f"`{name}`", NOT_MEASURED, NOT_MEASURED] for name in _GPU_CASES]
        return "\n".join([*lines, *table(["case", "ours, ms", "fastest peer, ms"], rows, 1)]) + "\n"
    versions = ", ".join(f"{name} {version}" for name, version in found.get("versions", {}).items())
    small = " Small sizes (`--quick`): no measure of anything." if found.get("quick") else ""
    lines += [f"Machine: {found.get('device', 'unknown')}, {versions}.{small}", ""]
    ceilings = found.get("ceilings", {})
    lines += table(["ceiling", "measured"], [[name, f"{rate:.3g}"] for name, rate in ceilings.items()], 1)
    for name in dict.fromkeys([*_GPU_CASES, *found["cases"]]):
        case = found["cases"].get(name)
        lines += ["", f"### `{name}`", ""]
        if case is None or "contestants" not in case:
            lines.append(f"{NOT_MEASURED}: {case['ended']}." if case else f"{NOT_MEASURED}.")
            continue
        floor = floor_of(case["floor"], ceilings)
        told = f" Floor: {figure(floor)} ms ({case['floor']['told']})." if floor else ""
        facts = "".join(f" {key}: {value}." for key, value in case["facts"].items())
        lines += [f"{case['title']}.{told}{facts}" + (f" It {case['ended']}." if "ended" in case else ""), ""]
        head = ["", "relative error", "calls, ms", "graph replays, ms", "times the floor"]
        lines += table(head, _gpu_rows(case, floor), 1)
    lines += ["", "### Goals on a GPU", "", *goals([(f"`{v[0]}`", *v[1:]) for v in gpu_verdicts(found)])]
    return "\n".join(lines) + "\n"


def goals(verdicts):
    """Write which goals are met."""
    rows = [[place, goal, "yes" if met else "**no**", told] for place, goal, met, told in verdicts]
    return table(["case", "goal", "met", "measured"], rows, 4)
