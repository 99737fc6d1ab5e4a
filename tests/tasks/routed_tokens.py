"""What several tests need of the instances that version 2 of routed-classification adds, made once."""

from __future__ import annotations

import functools

from reports.token_figures import TOKENS
from sparsebench.tasks import load_task

TASK = load_task("routed-classification@2", draft=True)
SPECS = TASK.own


@functools.cache
def built(name):
    return TOKENS.build(SPECS[name])
