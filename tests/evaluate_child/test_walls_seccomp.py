"""The filter of system calls: run here, in a small interpreter, for every call on every architecture."""

from __future__ import annotations

import errno
import itertools
import re
from pathlib import Path

import pytest

from sparsebench.evaluate.child.walls import seccomp, system
from sparsebench.evaluate.child.walls.numbers import ARCHITECTURES, AUDIT, NEWEST, NUMBERS
from sparsebench.evaluate.child.walls.seccomp import Held
from sparsebench.evaluate.child.walls.system import WallError

PID = 4321
HEADERS = {
    "x86_64": ("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "/usr/include/asm/unistd_64.h"),
    "aarch64": ("/usr/include/asm-generic/unistd.h",),
}
HELD = [Held(*answers) for answers in itertools.product((False, True), repeat=4)]
NOTHING = Held()
REFUSED, UNKNOWN, ALLOWED, KILLED = "refused", "unknown", "allowed", "killed"
MEANS = {
    0x50000 | errno.EPERM: REFUSED,
    0x50000 | errno.ENOSYS: UNKNOWN,
    0x7FFF0000: ALLOWED,
    0x80000000: KILLED,
}

each_machine = pytest.mark.parametrize("machine", ARCHITECTURES)


def run(code: list[seccomp.Code], audit: int, number: int, *arguments: int) -> str:
    words = [number, audit, 0, 0]  # the number, the architecture, where it was called from
    for argument in (*arguments, *[0] * (6 - len(arguments))):
        words += [argument & 0xFFFFFFFF, argument >> 32 & 0xFFFFFFFF]
    place, held = 0, 0
    while True:
        operation, yes, no, constant = code[place]
        place += 1
        if operation == 0x20:
            held = words[constant // 4]
        elif operation == 0x54:
            held &= constant
        elif operation == 0x06:
            return MEANS[constant]
        else:
            holds = {0x15: held == constant, 0x25: held > constant, 0x45: bool(held & constant)}[operation]
            place += yes if holds else no


def answer(machine: str, name: str, *arguments: int, held: Held = NOTHING) -> str:
    number = NUMBERS[name][ARCHITECTURES.index(machine)]
    assert number is not None
    return run(seccomp.program(machine, PID, held), AUDIT[machine], number, *arguments)


@each_machine
def test_numbers_are_those_of_the_kernels_headers(machine: str) -> None:
    found = [path for path in map(Path, HEADERS[machine]) if path.is_file()]
    if not found:
        pytest.skip(f"no {HEADERS[machine][0]} here (Debian: linux-libc-dev)")
    lines = re.findall(r"^#define __NR(?:3264)?_(\w+)\s+(\d+)$", found[0].read_text(), re.MULTILINE)
    kernels = {name: int(number) for name, number in lines}
    column = ARCHITECTURES.index(machine)
    ours = {name: numbers[column] for name, numbers in NUMBERS.items()}
    known = {name: number for name, number in ours.items() if name in kernels or number is None}
    assert known == {name: kernels.get(name) for name in known}
    assert set(ours) - set(known) <= {
        name for name, number in ours.items() if (number or 0) > 440
    }  # old headers


@each_machine
def test_no_two_calls_share_a_number(machine: str) -> None:
    numbers = [both[ARCHITECTURES.index(machine)] for both in NUMBERS.values()]
    there = [number for number in numbers if number is not None]
    assert len(set(there)) == len(there)
    assert max(there) <= NEWEST


@each_machine
@pytest.mark.parametrize("held", HELD, ids=str)
def test_exactly_what_is_listed_is_refused(machine: str, held: Held) -> None:
    code, column = seccomp.program(machine, PID, held), ARCHITECTURES.index(machine)
    names = {both[column]: name for name, both in NUMBERS.items()}
    listed = set(seccomp.refused(held))
    looked = {"clone", "ioctl", "socketpair", "personality", "prlimit64"}
    looked |= set() if held.signals else set(seccomp._SIGNALS)
    looked |= set() if held.processes else {*seccomp._FIRST_NAMES_PROCESS, *seccomp._SECOND_NAMES_PROCESS}
    for number in range(NEWEST + 1):
        name = names.get(number, "")
        expected = UNKNOWN if name == "clone3" else REFUSED if name in listed else ALLOWED
        if name not in looked:
            assert run(code, AUDIT[machine], number, 1, 2, 3) == expected, name


@each_machine
def test_what_is_refused_at_every_level(machine: str) -> None:
    always = set(seccomp.refused(Held(*[True] * 5)))
    groups = [
        "socket connect bind listen accept accept4",
        "ptrace process_vm_readv process_vm_writev kcmp pidfd_open pidfd_getfd pidfd_send_signal",
        "mount umount2 pivot_root chroot fsopen fsconfig fsmount fspick move_mount open_tree mount_setattr",
        "unshare setns bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register",
        "keyctl add_key request_key init_module finit_module delete_module kexec_load kexec_file_load reboot",
        "swapon swapoff acct quotactl clock_settime clock_adjtime settimeofday adjtimex",
        "open_by_handle_at name_to_handle_at shmget shmat shmctl semget semop semtimedop semctl",
        "msgget msgsnd msgrcv msgctl mq_open mq_unlink mq_timedsend mq_timedreceive",
        "memfd_create memfd_secret setsid setpgid fanotify_init inotify_init1 inotify_add_watch",
    ]
    for name in " ".join(groups).split():
        assert name in always
        assert answer(machine, name, held=Held(*[True] * 5)) == REFUSED


@each_machine
def test_newer_calls_are_not_there(machine: str) -> None:
    code = seccomp.program(machine, PID, NOTHING)
    for number in (NEWEST + 1, 0x40000000, 0x40000000 + 39, 0xFFFFFFFF):
        assert run(code, AUDIT[machine], number) == UNKNOWN


@each_machine
def test_another_architectures_calls_kill(machine: str) -> None:
    code = seccomp.program(machine, PID, NOTHING)
    others = {*AUDIT.values(), 0x40000003, 0} - {AUDIT[machine]}
    for audit, number in itertools.product(others, (0, 1, 57, NEWEST)):
        assert run(code, audit, number) == KILLED


@each_machine
@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("clone", (0x11,), ALLOWED),
        ("clone", (0x3D0F00,), ALLOWED),  # a thread
        *(("clone", (1 << bit | 0x11,), REFUSED) for bit in (17, 25, 26, 27, 28, 29, 30)),
        ("clone", (1 << 28 | 1 << 40,), REFUSED),
        ("ioctl", (0, 0x5401), ALLOWED),
        ("ioctl", (0, 0x5412), REFUSED),
        ("ioctl", (0, 0x541C), REFUSED),
        ("ioctl", (0, 1 << 32 | 0x5412), REFUSED),  # the kernel reads its lower half alone
        *(("ioctl", (0, mark), REFUSED) for mark in (0x40086602, 0x40087602, 0x401C5820)),
        *(("ioctl", (0, question), ALLOWED) for question in (0x80086601, 0x80087601, 0x801C581F)),
        *(("fcntl", (0, kept), REFUSED) for kept in (1024, 1026, 1036, 1038)),
        *(("fcntl", (0, signals), REFUSED) for signals in (8, 10, 15)),
        *(("ioctl", (0, signals), REFUSED) for signals in (0x8901, 0x8902)),
        *(("fcntl", (0, own), ALLOWED) for own in (1, 2, 4, 6, 1030, 1035)),
        ("socketpair", (1, 1), ALLOWED),
        ("socketpair", (1, 0o2000000 | 1), ALLOWED),
        ("socketpair", (1, 5), ALLOWED),
        ("socketpair", (1, 2), REFUSED),
        ("socketpair", (1, 0o4000 | 2), REFUSED),
        ("socketpair", (1, 3), REFUSED),
        *(("socketpair", (family, kind), REFUSED) for family in (0, 2, 16, 30) for kind in (1, 5)),
        ("socketpair", (1 << 32 | 30, 1), REFUSED),  # the kernel reads its lower half alone
        ("personality", (0xFFFFFFFF,), ALLOWED),
        ("personality", (0,), ALLOWED),
        ("personality", (0x40000,), REFUSED),
        ("prlimit64", (0,), ALLOWED),
        ("prlimit64", (PID,), ALLOWED),
        ("prlimit64", (1,), REFUSED),
        ("sched_setaffinity", (0,), ALLOWED),
        ("sched_setaffinity", (PID,), ALLOWED),
        ("sched_setaffinity", (PID + 1,), REFUSED),
        ("setpriority", (0, 0), ALLOWED),
        ("setpriority", (0, PID), ALLOWED),
        ("setpriority", (0, 1), REFUSED),
        ("setpriority", (2, 0), REFUSED),
        ("ioprio_set", (1, 0), ALLOWED),
        ("ioprio_set", (0, 0), REFUSED),
        ("kill", (PID, 9), ALLOWED),
        ("kill", (1, 9), REFUSED),
        ("kill", (0xFFFFFFFF, 9), REFUSED),
        ("tgkill", (PID, 7, 9), ALLOWED),
        ("tgkill", (7, 7, 9), REFUSED),
    ],
)
def test_arguments_decide(machine: str, name: str, arguments: tuple[int, ...], expected: str) -> None:
    assert answer(machine, name, *arguments) == expected


@each_machine
@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("kill", Held(signals=True)),
        ("sched_setaffinity", Held(processes=True)),
        ("setpriority", Held(processes=True)),
        ("utimensat", Held(times=True)),
        ("fchmod", Held(owners=True)),
        ("fsetxattr", Held(times=True)),
        ("truncate", Held(lengths=True)),
    ],
)
def test_what_other_walls_hold_the_filter_need_not(machine: str, name: str, held: Held) -> None:
    assert answer(machine, name, 1, 1) == REFUSED
    assert answer(machine, name, 1, 1, held=held) == ALLOWED


@each_machine
@pytest.mark.parametrize(("name", "what"), [("fcntl", 8), ("fcntl", 10), ("fcntl", 1036), ("ioctl", 0x8901)])
def test_open_files_signal_nobody_whatever_else_holds(machine: str, name: str, what: int) -> None:
    assert answer(machine, name, 0, what, held=Held(*[True] * 5)) == REFUSED


@each_machine
def test_a_limit_of_others_is_refused_whatever_else_holds(machine: str) -> None:
    assert answer(machine, "prlimit64", 1, held=Held(*[True] * 5)) == REFUSED


@each_machine
def test_jumps_stay_inside_and_it_ends(machine: str) -> None:
    code = seccomp.program(machine, PID, NOTHING)
    assert len(code) < 4096
    for place, (_, yes, no, constant) in enumerate(code):
        assert place + 1 + max(yes, no) <= len(code)
        assert 0 <= constant < 1 << 32
    assert code[-1][0] == 0x06


def test_a_machine_without_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system.platform, "machine", lambda: "riscv64")
    with pytest.raises(WallError, match="no table of system calls for riscv64; there are x86_64, aarch64"):
        system.architecture.__wrapped__()
