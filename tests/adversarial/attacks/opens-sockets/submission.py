"""Opens a socket of every family and kind, and sends to this machine by UDP, TCP and an abstract name."""

import socket

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        done = []
        families = {name: getattr(socket, name) for name in dir(socket) if name.startswith("AF_")} | {
            "AF_SMC": 43,
            "AF_XDP": 44,
        }
        for name, family in sorted(families.items()):
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
                try:
                    opened = socket.socket(family, kind)
                except OSError:
                    continue
                done.append(f"{name}/{int(kind)}")
                try:
                    if family == socket.AF_UNIX:
                        opened.bind("\0sparsebench-attack")
                    elif kind == socket.SOCK_DGRAM and family == socket.AF_INET:
                        opened.sendto(b"x", ("127.0.0.1", 9))
                    elif kind == socket.SOCK_STREAM and family == socket.AF_INET:
                        opened.bind(("127.0.0.1", 0))
                        opened.listen()
                except OSError:
                    continue
                done.append(f"{name}/{int(kind)}:used")
        # A pair of sockets is joined to nothing else: libraries may have one. It is not to become one that is.
        left, right = socket.socketpair()
        for way, use in {
            "sendto": lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].sendto(
                b"x", "\0sparsebench-attack"
            ),
            "connect": lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].connect(
                "\0sparsebench-attack"
            ),
            "bind": lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].bind(
                "\0sparsebench-attack"
            ),
            "listen": lambda: (left.bind("\0sparsebench-listens"), left.listen()),
        }.items():
            try:
                use()
            except ConnectionRefusedError:
                done.append(f"pair:{way}:only nobody there")
            except OSError:
                continue
            else:
                done.append(f"pair:{way}")
        raise RuntimeError(f"LEAK: {' '.join(done)}" if done else "all refused")

    def predict(self, params, x):
        return x @ params["w"]
