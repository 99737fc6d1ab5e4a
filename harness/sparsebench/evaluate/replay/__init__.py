"""Traces of a submission's requests, replayed without its code; verification of stored rows."""
