"""Polynomials: every row goes through that of the bucket that it was routed to."""
