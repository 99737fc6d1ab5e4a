"""Puts this folder on the path: the tests of kernels share a device that runs them on the processor."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
