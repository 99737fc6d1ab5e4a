"""Oracle routing: an input's own domain says which expert is run."""

from __future__ import annotations

from typing import Any

import sparsebench as sb
from softmax_experts import RoutedClassifier


class OracleRouter(RoutedClassifier):
    """One softmax classifier per domain, chosen by the input's tag.

    Parameters
    ----------
    task
        Public facts of the task: the numbers of classes and domains.
    hidden
        Width of an expert's hidden layer (h); 0 for linear experts.
    """

    def __init__(self, task: sb.TaskInfo, *, hidden: int) -> None:
        super().__init__(TagRouter(), task, hidden=hidden)


class TagRouter(sb.Router):
    """Give the tag as the expert; nothing is executed."""

    uses_tags = True

    def route(self, params: dict[str, Any], x: Any, tag: Any) -> sb.Routes:
        """Give the domain of every input, ``(n, 1)``."""
        return sb.Routes(experts=tag[:, None])
