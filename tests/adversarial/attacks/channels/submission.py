"""Leaves a mark in every way that outlives a process, in each of its processes, and looks for the marks of the others.

`says` looks in predict for what fit left, and tells in an error what arrived. `everywhere` leaves and looks
whenever a process starts, and fails where anything arrived; else it is an honest submission of no use.
"""

import ctypes
import fcntl
import os
import platform
import resource
import signal
import socket
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

import numpy as np

import sparsebench as sb

TOKEN = b"left by another process"
SHM, SEM, MSG, PORT, SIGNAL = 0x5B5B3001, 0x5B5B3002, 0x5B5B3003, 45873, 42
KEYS = {"x86_64": (248, 249, 250), "aarch64": (217, 218, 219)}[platform.machine()]
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
libc.shmat.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_int)
libc.sem_open.restype = ctypes.c_void_p


def done(result):
    if result is None or result < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return result


# System V: shared memory, semaphores, message queues.
def put_shared_memory():
    where = done(libc.shmat(done(libc.shmget(SHM, 4096, 0o1666)), None, 0))
    ctypes.memmove(where, TOKEN, len(TOKEN))


def look_shared_memory():
    segment = done(libc.shmget(SHM, 4096, 0))
    found = ctypes.string_at(done(libc.shmat(segment, None, 0)), len(TOKEN)) == TOKEN
    libc.shmctl(segment, 0, None)
    return found


def put_semaphores():
    done(libc.semctl(done(libc.semget(SEM, 1, 0o1666)), 0, 16, 42))


def look_semaphores():
    semaphore = done(libc.semget(SEM, 1, 0))
    found = libc.semctl(semaphore, 0, 12, 0) == 42
    libc.semctl(semaphore, 0, 0, 0)
    return found


def put_messages():
    done(
        libc.msgsnd(
            done(libc.msgget(MSG, 0o1666)), ctypes.create_string_buffer(b"\1\0\0\0\0\0\0\0" + TOKEN), 8, 0
        )
    )


def look_messages():
    queue = done(libc.msgget(MSG, 0))
    libc.msgctl(queue, 0, None)
    return True


# POSIX: message queues, shared memory, named semaphores.
def put_queues():
    class Attributes(ctypes.Structure):
        _fields_ = [(name, ctypes.c_long) for name in ("flags", "most", "size", "now", "a", "b", "c", "d")]

    queue = done(
        libc.mq_open(b"/sparsebench-mark", 0o102 | 0o4000, 0o666, ctypes.byref(Attributes(0, 4, 64, 0)))
    )
    done(libc.mq_send(queue, TOKEN, len(TOKEN), 0))


def look_queues():
    done(libc.mq_open(b"/sparsebench-mark", 0o4000))
    libc.mq_unlink(b"/sparsebench-mark")
    return True


def put_posix_memory():
    os.write(done(libc.shm_open(b"/sparsebench-mark", 0o102, 0o666)), TOKEN)


def look_posix_memory():
    done(libc.shm_open(b"/sparsebench-mark", 0, 0))
    libc.shm_unlink(b"/sparsebench-mark")
    return True


def put_named_semaphores():
    if not libc.sem_open(b"/sparsebench-mark", 0o100, 0o666, 7):
        raise OSError(ctypes.get_errno(), "refused")


def look_named_semaphores():
    found = libc.sem_open(b"/sparsebench-mark", 0)
    libc.sem_unlink(b"/sparsebench-mark")
    return bool(found)


# The kernel's keyrings: thread, process, session, user, user's session.
def put_keys():
    made = [
        libc.syscall(KEYS[0], b"user", b"sparsebench-mark", TOKEN, len(TOKEN), ring) for ring in (-3, -4, -5)
    ]
    done(max(made))


def look_keys():
    found = []
    for ring in (-3, -4, -5):
        key = libc.syscall(KEYS[2], 10, ring, b"user", b"sparsebench-mark", 0)
        if key > 0:
            found.append(key)
            libc.syscall(KEYS[2], 9, key, ring)
    return bool(found)


def put_persistent_keys():
    ring = done(libc.syscall(KEYS[2], 22, -1, -2))
    done(libc.syscall(KEYS[0], b"user", b"sparsebench-kept", TOKEN, len(TOKEN), ring))


def look_persistent_keys():
    ring = done(libc.syscall(KEYS[2], 22, -1, -2))
    key = done(libc.syscall(KEYS[2], 10, ring, b"user", b"sparsebench-kept", 0))
    libc.syscall(KEYS[2], 9, key, ring)
    return True


# A process that stays: it answers on sockets, holds locks, has a name.
def put_a_daemon():
    if os.fork():
        time.sleep(0.3)
        return
    try:
        for way in (os.setsid, os.setpgrp):
            try:
                way()
            except OSError:
                pass
        if os.fork():
            os._exit(0)
        daemon()
    finally:
        os._exit(0)


def daemon():
    os.closerange(3, 256)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    libc.prctl(15, b"sb-mark")
    held = []
    for file in LOCKED:
        try:
            held.append(open(file, "rb"))
            fcntl.flock(held[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pass
    try:
        abstract = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        abstract.bind("\0sparsebench-mark")
    except OSError:
        pass
    try:
        answers = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        answers.bind(("127.0.0.1", PORT))
        answers.settimeout(45)
        while True:
            question, where = answers.recvfrom(100)
            answers.sendto(TOKEN, where)
    except OSError:
        time.sleep(45)


LOCKED = [__file__, sb.__file__, np.__file__, "/etc/passwd"]


def look_a_daemon():
    """Whether anything has its name: where /proc can be read at all."""
    names = []
    for entry in Path("/proc").iterdir():
        try:
            names.append((entry / "comm").read_text())
        except OSError:
            continue
    return "sb-mark\n" in names


def put_locks():
    """A daemon holds them; here they are held through what may be shared with the harness."""
    for descriptor in range(256):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pass


def look_locks():
    held = []
    for file in (*LOCKED, "/dev/null", "/dev/zero", "/dev/urandom"):
        try:
            with open(file, "rb") as stream:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held.append(file)
        except OSError:
            pass
    return bool(held)


def put_record_locks():
    with open(sb.__file__, "rb") as stream:
        fcntl.lockf(stream, fcntl.LOCK_SH | fcntl.LOCK_NB, 1, 4242)
        os.dup2(stream.fileno(), 200)


def look_record_locks():
    import struct

    with open(sb.__file__, "rb") as stream:
        ask = struct.pack("hhqqi", fcntl.F_WRLCK, 0, 4242, 1, 0)
        return struct.unpack("hhqqi", fcntl.fcntl(stream, fcntl.F_GETLK, ask))[0] != fcntl.F_UNLCK


def look_udp():
    asks = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asks.settimeout(0.5)
    asks.sendto(b"?", ("127.0.0.1", PORT))
    return asks.recv(100) == TOKEN


def look_abstract_names():
    asks = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    asks.connect("\0sparsebench-mark")
    return True


# Files, wherever one may be made; and what can be set of files that are there.
def places():
    package = Path(sb.__file__).parent
    return [
        *(
            Path(name)
            for name in ("/tmp", "/var/tmp", "/dev/shm", "/run", "/run/lock", "/dev", "/dev/mqueue", "/")
        ),
        *(
            Path(name)
            for name in ("/var/lock", "/mnt", "/opt", "/etc", "/root", "/home", "/usr/local/lib", "/proc/sys")
        ),
        *(Path(f"/run/user/{uid}") for uid in {os.getuid(), os.geteuid(), 0}),
        *(Path(tempfile.gettempdir()), Path.home(), Path.cwd(), Path.cwd().parent, Path(__file__).parent),
        *(
            package,
            package.parent,
            package.parent.parent,
            package / "_data",
            Path(sysconfig.get_paths()["purelib"]),
        ),
        *(Path(np.__file__).parent / "__pycache__", Path(sys.prefix), Path(sys.base_prefix)),
    ]


def put_files():
    made = []
    for place in dict.fromkeys(places()):
        for name in ("sparsebench-mark.txt", "sparsebench-mark.pth", ".sparsebench-mark"):
            try:
                (place / name).write_bytes(TOKEN)
                made.append(place)
            except OSError:
                continue
        try:
            (place / "sparsebench-marks").mkdir()
        except OSError:
            continue
    if not made:
        raise OSError("nowhere")


def look_files():
    found = []
    for place in dict.fromkeys(places()):
        for name in (
            "sparsebench-mark.txt",
            "sparsebench-mark.pth",
            ".sparsebench-mark",
            "sparsebench-marks",
        ):
            path = place / name
            if path.exists():
                found.append(path)
                try:
                    path.rmdir() if path.is_dir() else path.unlink()
                except OSError:
                    pass
    return bool(found) or bool(os.listdir("."))


def marked():
    """Files that a user who runs this may own."""
    return [
        Path(__file__),
        Path(sb.__file__),
        Path(np.__file__),
        Path(sys.executable),
        Path(sys.prefix),
        Path("/tmp"),
    ]


def put_times():
    set_ = 0
    for path in marked():
        try:
            os.utime(path, ns=(1_234_567_890_123_456_789, path.stat().st_mtime_ns))
            set_ += 1
        except OSError:
            continue
    if not set_:
        raise OSError("nowhere")


def look_times():
    return any(path.stat().st_atime_ns == 1_234_567_890_123_456_789 for path in marked())


def put_modes():
    path = Path(__file__)
    path.chmod(0o751)


def look_modes():
    return Path(__file__).stat().st_mode & 0o777 == 0o751


def put_attributes():
    set_ = 0
    for path in marked():
        try:
            os.setxattr(path, "user.sparsebench-mark", TOKEN)
            set_ += 1
        except OSError:
            continue
    if not set_:
        raise OSError("nowhere")


def look_attributes():
    found = False
    for path in marked():
        try:
            found |= os.getxattr(path, "user.sparsebench-mark") == TOKEN
            os.removexattr(path, "user.sparsebench-mark")
        except OSError:
            continue
    return found


SET_HINT, GET_HINT = 1036, 1035


def put_hints():
    """The kernel keeps with a file how long what is written there lives."""
    set_ = 0
    for path in (*marked(), Path("/dev/null"), Path("/dev/zero"), Path("/etc/passwd")):
        try:
            with path.open("rb") as stream:
                fcntl.fcntl(stream, SET_HINT, (3).to_bytes(8, "little"))
                set_ += 1
        except OSError:
            continue
    if not set_:
        raise OSError("nowhere")


def look_hints():
    found = []
    for path in (*marked(), Path("/dev/null"), Path("/dev/zero"), Path("/etc/passwd")):
        try:
            with path.open("rb") as stream:
                found.append(int.from_bytes(fcntl.fcntl(stream, GET_HINT, bytes(8)), "little"))
        except OSError:
            continue
    return 3 in found


GET_FLAGS, SET_FLAGS, GET_VERSION, SET_VERSION = 0x80086601, 0x40086602, 0x80087601, 0x40087602
NO_DUMP = 0x40


def put_flags_of_files():
    """Marks that a file system keeps with a file, by a call that says nothing of what it does."""
    set_ = 0
    for path in marked():
        try:
            handle = os.open(path, os.O_RDONLY)
            flags = int.from_bytes(fcntl.ioctl(handle, GET_FLAGS, bytes(8)), "little")
            fcntl.ioctl(handle, SET_FLAGS, (flags | NO_DUMP).to_bytes(8, "little"))
            set_ += 1
        except OSError:
            continue
    if not set_:
        raise OSError("nowhere")


def look_flags_of_files():
    found = False
    for path in marked():
        try:
            handle = os.open(path, os.O_RDONLY)
            flags = int.from_bytes(fcntl.ioctl(handle, GET_FLAGS, bytes(8)), "little")
            found |= bool(flags & NO_DUMP)
            fcntl.ioctl(handle, SET_FLAGS, (flags & ~NO_DUMP).to_bytes(8, "little"))
        except OSError:
            continue
    return found


def put_versions_of_files():
    set_ = 0
    for path in marked():
        try:
            fcntl.ioctl(os.open(path, os.O_RDONLY), SET_VERSION, (4242).to_bytes(8, "little"))
            set_ += 1
        except OSError:
            continue
    if not set_:
        raise OSError("nowhere")


def look_versions_of_files():
    found = []
    for path in marked():
        try:
            told = fcntl.ioctl(os.open(path, os.O_RDONLY), GET_VERSION, bytes(8))
            found.append(int.from_bytes(told[:4], "little"))
        except OSError:
            continue
    return 4242 in found


# What this process shares with whoever started it: open files, memory, limits.
def descriptors():
    return [number for number in range(256) if number != 200 and os.path.exists(f"/proc/self/fd/{number}")]


def put_signals_of_descriptors():
    for number in descriptors():
        try:
            fcntl.fcntl(number, 10, SIGNAL)  # F_SETSIG
        except OSError:
            continue


def look_signals_of_descriptors():
    found = []
    for number in descriptors():
        try:
            found.append(fcntl.fcntl(number, 11))  # F_GETSIG
        except OSError:
            continue
    return SIGNAL in found


def put_owners_of_descriptors():
    for number in descriptors():
        try:
            fcntl.fcntl(number, fcntl.F_SETOWN, os.getpid())
        except OSError:
            continue


def look_owners_of_descriptors():
    found = []
    for number in descriptors():
        try:
            found.append(fcntl.fcntl(number, fcntl.F_GETOWN))
        except OSError:
            continue
    return any(found)


def put_flags_of_descriptors():
    for number in (0, 1, 2):
        fcntl.fcntl(number, fcntl.F_SETFL, fcntl.fcntl(number, fcntl.F_GETFL) | os.O_APPEND | os.O_NONBLOCK)


def look_flags_of_descriptors():
    return any(fcntl.fcntl(number, fcntl.F_GETFL) & (os.O_APPEND | os.O_NONBLOCK) for number in (0, 1, 2))


def put_places_in_descriptors():
    moved = 0
    for number in descriptors():
        try:
            moved += os.lseek(number, 4242, os.SEEK_SET) == 4242
        except OSError:
            continue
    if not moved:
        raise OSError("nowhere")


def look_places_in_descriptors():
    found = []
    for number in descriptors():
        try:
            found.append(os.lseek(number, 0, os.SEEK_CUR))
        except OSError:
            continue
    return 4242 in found


def put_sizes_of_pipes():
    for number in descriptors():
        try:
            fcntl.fcntl(number, 1031, 1 << 17)  # F_SETPIPE_SZ
        except OSError:
            continue


def look_sizes_of_pipes():
    found = []
    for number in descriptors():
        try:
            found.append(fcntl.fcntl(number, 1032))  # F_GETPIPE_SZ
        except OSError:
            continue
    return 1 << 17 in found


def shared():
    lines = Path("/proc/self/maps").read_text().splitlines()
    return [line.split("-")[0] for line in lines if line.split()[1] == "rw-s"]


def put_shared_mappings():
    for start in shared():
        ctypes.memmove(int(start, 16), TOKEN, len(TOKEN))


def look_shared_mappings():
    return any(ctypes.string_at(int(start, 16), len(TOKEN)) == TOKEN for start in shared())


LIMITS = (
    resource.RLIMIT_MSGQUEUE,
    resource.RLIMIT_SIGPENDING,
    resource.RLIMIT_RTPRIO,
    resource.RLIMIT_MEMLOCK,
)


def put_limits():
    """Those of whoever started this process, which the next one would inherit."""
    parent, made = os.getppid(), 0
    if not parent:
        raise OSError("nobody")
    for limit in LIMITS:
        try:
            resource.prlimit(parent, limit, (0, resource.prlimit(parent, limit)[1]))
            made += 1
        except OSError:
            continue
    for way in (
        lambda: os.setpriority(os.PRIO_PROCESS, parent, 17),
        lambda: os.sched_setaffinity(parent, {max(os.sched_getaffinity(0))}),
        lambda: Path(f"/proc/{parent}/oom_score_adj").write_text("777"),
        lambda: Path(f"/proc/{parent}/timerslack_ns").write_text("4242"),
        lambda: done(libc.syscall({"x86_64": 251, "aarch64": 30}[platform.machine()], 1, parent, 3 << 13)),
    ):
        try:
            way()
            made += 1
        except OSError:
            continue
    if not made:
        raise OSError("refused")


def look_limits():
    ioprio = libc.syscall({"x86_64": 252, "aarch64": 31}[platform.machine()], 1, 0)
    return (
        os.getpriority(os.PRIO_PROCESS, 0) == 17
        or Path("/proc/self/oom_score_adj").read_text() == "777\n"
        or ioprio == 3 << 13
        or libc.prctl(30, 0, 0, 0, 0) == 4242
    )


WAYS = [name.removeprefix("look_") for name in globals() if name.startswith("look_")]


def leave():
    """Leave all marks that can be left; name the ways in which one was."""
    left = []
    for way in WAYS:
        try:
            globals().get(f"put_{way}", lambda: None)()
            left.append(way)
        except Exception:
            continue
    return left


def look():
    """Name the ways in which a mark of another process arrived."""
    found = []
    for way in WAYS:
        try:
            if globals()[f"look_{way}"]():
                found.append(way)
        except Exception:
            continue
    return found


class Attack(sb.Submission):
    def __init__(self, task, says):
        self.says = says
        if not says:
            found = look()
            if found:
                raise RuntimeError(f"LEAK: arrived: {' '.join(found)}")
            leave()

    def fit(self, train, valid, rng):
        left = leave() if self.says else []
        return {"w": np.zeros(4), **{f"left:{way}": np.zeros(1) for way in left}}

    def predict(self, params, x):
        if not self.says:
            return x @ params["w"]
        found = look()
        left = sum(name.startswith("left:") for name in params)
        tried = f"{len(WAYS)} ways, {left} of which could be tried"
        raise ValueError(f"LEAK: arrived: {' '.join(found)}" if found else f"nothing arrived by {tried}")
