"""``python -m sparsebench``: the command line, where the script of that name is not on the path."""

from __future__ import annotations

from sparsebench.cli import main

if __name__ == "__main__":  # a worker that is spawned imports this module under another name
    main()
