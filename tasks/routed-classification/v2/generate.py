"""Makes the new instances of routed-classification@2: tokens; the others are those of version 1."""

from __future__ import annotations

from pathlib import Path

from tokens import build, fresh, label

from sparsebench.tasks.generation import run_generator

__all__ = ["build", "fresh", "label"]

if __name__ == "__main__":
    run_generator(build, Path(__file__).parent)
