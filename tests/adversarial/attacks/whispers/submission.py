"""Moves what the kernel counts and keeps for all, in fit, and looks whether predict can tell.

No object is left: pages of a file that anybody reads are in memory or not, a file was read lately or not, so many
processes and pipes have been made since the machine started. Each way says one number, 5, which is told by how far
something has moved since fit: what it stood at before is part of the model, as it may be.
"""

import ctypes
import functools
import os
import time
from pathlib import Path

import numpy as np

import sparsebench as sb

libc = ctypes.CDLL(None, use_errno=True)
PATTERN = (1, 0, 1, 1, 0, 0, 1, 0)
STEP = 256  # pages between those that are read: no reading ahead goes so far


@functools.cache
def cold():
    """Files that anybody may read and that nobody has read lately, largest first."""
    found = []
    for top in ("/usr/lib", "/usr/share", "/usr/bin"):
        for folder, _, names in os.walk(top):
            for name in names:
                path = os.path.join(folder, name)
                if len(path) > 50:  # an array's name, which it becomes a part of, has 64 characters
                    continue
                try:
                    about = os.lstat(path)
                except OSError:
                    continue
                if (about.st_mode & 0o170000) == 0o100000 and about.st_size > len(PATTERN) * STEP * 4096:
                    found.append((about.st_size, path))
    return [path for _, path in sorted(found)][:200]


def in_memory(handle, page):
    """Whether a page can be read without waiting."""
    try:
        return os.preadv(handle, [bytearray(1)], page * 4096, os.RWF_NOWAIT) > 0
    except BlockingIOError:
        return False


def by_clock(handle, page):
    """Whether a page was read too fast to have come from a disk."""
    begin = time.perf_counter_ns()
    os.pread(handle, 1, page * 4096)
    return time.perf_counter_ns() - begin < 15_000


def resident(handle, page):
    """The same, from what the kernel tells of a mapping."""
    libc.mmap.restype = ctypes.c_void_p
    where = libc.mmap(None, 4096, 1, 1, handle, ctypes.c_long(page * 4096))
    told = ctypes.create_string_buffer(1)
    if where in (None, ctypes.c_void_p(-1).value) or libc.mincore(ctypes.c_void_p(where), 4096, told) != 0:
        raise OSError("refused")
    libc.munmap(ctypes.c_void_p(where), 4096)
    return told.raw[0] & 1


def left_pages(skip):
    for path in cold()[skip:]:
        try:
            handle = os.open(path, os.O_RDONLY)
        except OSError:
            continue
        try:
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_RANDOM)
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        except OSError:
            pass
        for place, bit in enumerate(PATTERN):
            if bit:
                os.pread(handle, 1, place * STEP * 4096)
        os.close(handle)
        return path
    raise OSError("nothing to read")


def found_pages(path, ask):
    handle = os.open(path, os.O_RDONLY)
    try:
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_RANDOM)
    except OSError:
        pass
    return tuple(int(bool(ask(handle, place * STEP))) for place in range(len(PATTERN))) == PATTERN


def pipe_number():
    here, there = os.pipe()
    try:
        return os.fstat(here).st_ino
    finally:
        os.close(here)
        os.close(there)


def processes_made():
    for line in Path("/proc/stat").read_text().splitlines():
        if line.startswith("processes"):
            return int(line.split()[1])
    raise OSError("not told")


def last_process():
    return int(Path("/proc/loadavg").read_text().split()[-1])


def own_number():
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return child


COUNTERS = {"pipes": pipe_number, "processes": processes_made, "last": last_process, "numbers": own_number}
MOVED = {"pipes": 100_000, "processes": 500, "last": 500, "numbers": 500}


def atimes():
    """Files whose time of reading the kernel would set again."""
    day = time.time() - 90_000
    for path in cold()[50:]:
        about = os.stat(path)
        if about.st_atime <= max(about.st_mtime, about.st_ctime) or about.st_atime < day:
            yield path


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        pass

    def fit(self, train, valid, rng):
        names = {}
        for skip, way in enumerate(("nowait", "mincore", "clock")):
            try:
                names[way] = left_pages(skip * 3)
            except Exception:
                continue
        try:
            path = next(atimes())
            with open(path, "rb") as stream:
                stream.read(1)
            names["atime"] = path
        except Exception:
            pass
        for way, count in COUNTERS.items():
            try:
                names[way] = str(count())
            except Exception:
                continue
        for _ in range(MOVED["pipes"]):
            for end in os.pipe():
                os.close(end)
        for _ in range(MOVED["processes"]):
            if os.fork() == 0:
                os._exit(0)
            os.wait()
        return {"w": np.zeros(4), **{f"{way}={value}": np.zeros(1) for way, value in names.items()}}

    def predict(self, params, x):
        told = dict(name.split("=", 1) for name in params if "=" in name)
        found = []
        for way, ask in {"nowait": in_memory, "mincore": resident, "clock": by_clock}.items():
            try:
                if found_pages(told[way], ask):
                    found.append(way)
            except Exception:
                continue
        try:
            if time.time() - os.stat(told["atime"]).st_atime < 30:
                found.append("atime")
        except Exception:
            pass
        for way, count in COUNTERS.items():
            try:
                if MOVED[way] <= count() - int(told[way]) < 2 * MOVED[way]:
                    found.append(way)
            except Exception:
                continue
        raise ValueError(f"whispered: {' '.join(found) or 'nothing'}; of {' '.join(sorted(told))}")
