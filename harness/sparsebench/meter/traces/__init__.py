"""Traces of requests to the meter: the format, its files, recording and replay."""
