"""Changes owners, modes, times and attributes of files: no rule about opening files covers that."""

import ctypes
import fcntl
import os
import pwd
import sys
from pathlib import Path

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        libc = ctypes.CDLL(None, use_errno=True)
        done = set()
        files = [
            __file__,
            sb.__file__,
            np.__file__,
            sys.executable,
            sys.prefix,
            os.path.expanduser("~root"),
            "/tmp",
            "/etc/passwd",
        ]
        files += [str(folder) for folder in Path(sb.__file__).parents][:4]
        try:
            files += [entry.pw_dir for entry in pwd.getpwall() if entry.pw_uid == os.getuid()]
        except OSError:
            pass
        for file in files:
            try:
                about = os.stat(file)
            except OSError:
                continue
            if file == "/" and os.getuid():
                continue
            for name, call in {
                "chmod": lambda: os.chmod(file, about.st_mode & 0o7777),
                "chown": lambda: os.chown(file, about.st_uid, about.st_gid),
                "utime": lambda: os.utime(file, ns=(about.st_atime_ns, about.st_mtime_ns)),
                "setxattr": lambda: (
                    os.setxattr(file, "user.sparsebench-attack", b"x"),
                    os.removexattr(file, "user.sparsebench-attack"),
                ),
                "link": lambda: (os.link(file, "linked"), os.unlink("linked")),
                "rename": lambda: os.rename(file, file + "~") or os.rename(file + "~", file),
            }.items():
                try:
                    call()
                except OSError:
                    continue
                done.add(f"{name}:{file}")
            try:
                with open(file, "rb") as stream:
                    flags = fcntl.ioctl(stream, 0x80086601, bytes(8))
                    fcntl.ioctl(stream, 0x40086602, flags)
                    done.add(f"flags:{file}")
            except OSError:
                continue
        done = sorted(done)
        raise RuntimeError(f"LEAK: {' '.join(done)}" if done else "all refused")

    def predict(self, params, x):
        return x @ params["w"]
