"""Forks walled processes, has each do one thing, and prints what it told: ``walls_inside.py LEVEL USER``.

Needs nothing but the standard library, so that a Python without our dependencies, which any user can read,
runs it. Each function called ``do_*`` runs in a walled process of its own; what it gives is printed.
"""

from __future__ import annotations

import ctypes
import json
import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from sparsebench.evaluate.child import walls
from sparsebench.evaluate.child.walls import landlock
from sparsebench.evaluate.child.walls.system import libc, prctl

VERSIONS = range(1, landlock.version() + 1)
FILES, PROCESSES = 4 << 20, 24


def outcome(action):
    try:
        return action()
    except BaseException as error:  # noqa: BLE001
        return f"{type(error).__name__}: {error}"


def name_of(action):
    try:
        action()
    except OSError as error:
        return type(error).__name__
    return "yes"


def status() -> dict[str, str]:
    lines = Path("/proc/self/status").read_text().splitlines()
    return {name: rest.strip() for name, _, rest in (line.partition(":") for line in lines)}


def do_canaries(plan, parent):
    return walls.canaries(plan, parent)


def do_status(plan, parent):
    found = status()
    wanted = (
        "Uid",
        "Gid",
        "Groups",
        "CapEff",
        "CapPrm",
        "CapInh",
        "CapBnd",
        "CapAmb",
        "NoNewPrivs",
        "Seccomp",
    )
    return {name: found[name] for name in wanted}


def do_numbers(plan, parent):
    return os.getpid(), os.getppid(), os.getsid(0) == os.getpid()


def do_files(plan, parent):
    hidden = plan.hidden[0]
    actions = {
        "read code": (plan.code / "file").read_bytes,
        "write code": lambda: (plan.code / "file").write_bytes(b""),
        "write work": lambda: (plan.work / "file").write_bytes(b""),
        "work is where we are": lambda: Path("file").read_bytes(),
        "read hidden": (hidden / "file").read_bytes,
        "read around hidden": (hidden.parent / "file").read_bytes,
        "list around hidden": lambda: list(hidden.parent.iterdir()),
        "own status": Path("/proc/self/status").read_bytes,
        "own maps": Path("/proc/self/maps").read_bytes,
        "own descriptors": lambda: list(Path("/proc/self/fd").iterdir()),
        "random": lambda: os.close(os.open("/dev/urandom", os.O_RDONLY)),
        "null": lambda: os.close(os.open("/dev/null", os.O_RDWR)),
        "processors": Path("/proc/cpuinfo").read_bytes,
        "thread's name": lambda: Path(f"/proc/self/task/{os.getpid()}/comm").write_text("x"),
    }
    return {name: name_of(action) for name, action in actions.items()}


def do_honest(plan, parent):
    program = [sys.executable, "-c", "import ctypes, json, os; print(len(os.listdir('.')))"]
    (plan.work / "one").write_text("x")
    counted = []
    threads = [threading.Thread(target=counted.append, args=(1,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {
        "machine": program_reads("/proc/cpuinfo"),
        "program": subprocess.run(program, capture_output=True, text=True, check=True).stdout.split(),
        "threads": len(counted),
        "pair": outcome(lambda: len(socket.socketpair())),
        "processors": len(os.sched_getaffinity(0)) > 0,
        "own": outcome(lambda: os.sched_setaffinity(0, os.sched_getaffinity(0))),
        "nice": outcome(lambda: os.nice(0)),
        "kill": outcome(kill_own),
        "temporary": outcome(lambda: len(tempfile.mkdtemp(dir=plan.work)) > 0),
    }


def do_pairs(plan, parent):
    families = (socket.AF_UNIX, socket.AF_INET, socket.AF_TIPC)
    return [name_of(lambda family=family: close(socket.socketpair(family))) for family in families]


def close(sockets):
    for one in sockets:
        one.close()


def program_reads(*paths: str) -> list[bool]:
    """Whether a program that is started may read each of these."""
    code = "import os, sys; print([os.access(p, os.R_OK) and bool(open(p).read()) for p in sys.argv[1:]])"
    done = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True, check=False)
    return json.loads(done.stdout.lower() or "[]")


def kill_own():
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    process.kill()
    return process.wait()


def do_pool(plan, parent):
    with multiprocessing.get_context("fork").Pool(2) as pool:
        return pool.map(abs, [-1, -2])


def do_attributes(plan, parent):
    own = plan.work / "own"
    own.touch()
    actions = {
        "own mode": lambda: own.chmod(0o600),
        "own times": lambda: os.utime(own),
        "mode": lambda: plan.code.chmod(0o755),
        "attribute": lambda: os.setxattr(plan.code, "user.x", b"x"),
        "times": lambda: os.utime(plan.code),
        "device's times": lambda: os.utime("/dev/null"),
    }
    return {name: name_of(action) for name, action in actions.items()}


def do_proc(plan, parent):
    return program_reads("/proc/self/stat"), program_reads(f"/proc/{os.getpid()}/stat"), name_of(list_proc)


def list_proc():
    assert {path.name for path in Path("/proc").iterdir() if path.name.isdecimal()} == {"1"}


def do_memory(plan, parent):
    bytearray(8 << 20)
    return outcome(lambda: len(bytearray(256 << 20)))


def do_big_file(plan, parent):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    return outcome(lambda: (plan.work / "big").open("wb").truncate(plan.files + 1))


def do_abort(plan, parent):
    os.abort()


def do_other_numbers(plan, parent):
    # The x32 getpid, and one that is not there yet.
    return [(libc().syscall(number), ctypes.get_errno()) for number in (0x40000000 + 39, 100_000)]


def do_leaves_one(plan, parent):
    pid = os.fork()
    if not pid:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        time.sleep(600)
    return pid


def do_gpu(plan, parent):
    thread = Path(f"/proc/self/task/{os.getpid()}/comm")
    return name_of(lambda: thread.write_text("x")), len(bytearray(256 << 20))


class Parent:
    def __init__(self, level: str, base: Path) -> None:
        self.level, self.base = level, base
        self.prepared = walls.prepare(level)
        for name in ("code", "open", "open/hidden"):
            (base / name).mkdir()
            (base / name / "file").write_text("x")
        sys.path.append(str(base / "open"))

    def plan(self, **changes):
        work = Path(tempfile.mkdtemp(dir=self.base))
        given = {"memory": 128 << 20, "files": FILES, "processes": PROCESSES} | changes
        return walls.Plan(self.level, self.base / "code", work, (self.base / "open" / "hidden",), **given)

    def fork(self, plan, action) -> int:
        parent = os.getpid()
        walls.before_fork(self.prepared, plan)
        pid = os.fork()
        if not pid:
            try:
                kept = walls.put_up(self.prepared, plan)
                assert all(os.fstat(descriptor) for descriptor in kept)
                action(plan, parent)
            finally:
                os._exit(0)
        walls.after_fork(self.prepared)
        return pid

    def told(self, action, **changes):
        reading, writing = os.pipe()
        pid = self.fork(
            self.plan(**changes),
            lambda plan, parent: os.write(
                writing, json.dumps(outcome(lambda: action(plan, parent))).encode()
            ),
        )
        os.close(writing)
        _, ended = os.waitpid(pid, 0)
        with os.fdopen(reading, "rb") as pipe:
            os.set_blocking(reading, False)  # what it left behind may hold the other end
            data = pipe.read() or b"null"
        return {"told": json.loads(data), "ended": os.waitstatus_to_exitcode(ended)}

    def left(self) -> str:
        """What became of the process that ``do_leaves_one`` left: it is ours to end, if there is one."""
        try:
            found, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return "gone"
        if found:
            return "gone"
        for pid in children():
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        return "ended"

    def orphan(self) -> str:
        """Kill a parent: its child goes with it."""
        reading, writing = os.pipe()
        middle = os.fork()
        if not middle:
            pid = self.fork(self.plan(), lambda plan, parent: (os.write(writing, b"up"), time.sleep(600)))
            os.write(writing, f" {pid} ".encode())
            time.sleep(600)
        heard = b""
        while not (b"up" in heard and heard.count(b" ") == 2):
            heard += os.read(reading, 100)
        os.kill(middle, signal.SIGKILL)
        os.waitpid(middle, 0)
        pid = int(heard.replace(b"up", b""))
        return str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))  # it became ours


def children() -> list[int]:
    text = Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text()
    return [int(pid) for pid in text.split()]


def everything(parent: Parent) -> dict[str, object]:
    apart = (do_canaries, do_gpu, do_leaves_one)
    simple = [action for name, action in globals().items() if name.startswith("do_") and action not in apart]
    found: dict[str, object] = {action.__name__.removeprefix("do_"): parent.told(action) for action in simple}
    found["canaries"] = parent.told(do_canaries, processes=6)
    found["gpu"] = parent.told(do_gpu, gpu=True, memory=None)
    found["leaves_one"] = parent.told(do_leaves_one)
    found["left"] = parent.left()
    found["orphan"] = parent.orphan()
    found["users"] = [parent.told(do_status)["told"]["Uid"].split()[0] for _ in range(3)]
    latest = landlock.version()
    for version in VERSIONS:
        landlock.version = lambda version=version: version
        found[f"files {version}"] = parent.told(do_files)
    landlock.version = lambda: min(latest, 2)
    found["old canaries"] = parent.told(do_canaries, processes=6)
    landlock.version = lambda: latest
    return found


def main() -> None:
    level, user = sys.argv[1], int(sys.argv[2])
    if user != os.geteuid():
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
        prctl(4, 1)  # or the files of /proc/self stay root's
    walls.enter(level)
    if "exit" in sys.argv:
        sys.exit(7)
    if "wait" in sys.argv:
        print("up", flush=True)  # noqa: T201 - what the test waits for
        time.sleep(600)
    base = Path(tempfile.mkdtemp())
    try:
        print(json.dumps(everything(Parent(level, base))))  # noqa: T201 - what the test reads
    finally:
        shutil.rmtree(base)


if __name__ == "__main__":
    main()
