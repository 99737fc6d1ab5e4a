"""What all tests share."""

from __future__ import annotations

import os

from hypothesis import settings

import quick

settings.register_profile("sparsebench", deadline=None)  # a slow example is not a wrong one
settings.register_profile("quick", deadline=None, max_examples=quick.EXAMPLES)
settings.load_profile("quick" if os.environ.get(quick.CHOSEN_BY) else "sparsebench")

collect_ignore = list(quick.LEFT_OUT) if os.environ.get(quick.CHOSEN_BY) else []

if workers := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0")):
    # Workers share the processors: BLAS threads that wait would take another's time. Read by NumPy's import.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // workers)))
