"""Grouped layers: every row goes through the weights of the expert that it was routed to."""
