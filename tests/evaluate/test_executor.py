"""How workers are started."""

from __future__ import annotations

import socket
import sys
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from sparsebench.evaluate import executor


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere workers are always spawned")
@pytest.mark.parametrize("length", [20, 75, 76, 90])
def test_a_server_of_forks_is_not_asked_for_where_its_socket_has_no_room(
    length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address of a socket has 107 bytes; with a thread about, workers are no forks of this process."""
    with TemporaryDirectory(dir="/tmp") as root:
        folder = Path(root) / ("x" * (length - len(root) - 1))
        (folder / "pymp-12345678").mkdir(parents=True)
        monkeypatch.setattr(executor.tempfile, "tempdir", str(folder))
        fits = True
        with socket.socket(socket.AF_UNIX) as listener:
            try:
                listener.bind(str(folder / "pymp-12345678" / "listener-12345678"))
            except OSError:
                fits = False
        threads = threading.active_count() + 1
        monkeypatch.setattr(executor.threading, "active_count", lambda: threads)
        assert executor._how_to_start() == ("forkserver" if fits else "spawn")
        assert fits == (length <= 75)
