"""Every operation that the slow counter does, by the name of the rule, with the rule's arguments."""

from __future__ import annotations

from meter.slow import elementwise, experts, indexing, primitives, products, reductions, routing, shapes

TOPICS = (elementwise, experts, indexing, primitives, products, reductions, routing, shapes)
SLOW = {name: function for topic in TOPICS for name, function in topic.TABLE.items()}
assert len(SLOW) == sum(len(topic.TABLE) for topic in TOPICS), "two topics do one operation"
