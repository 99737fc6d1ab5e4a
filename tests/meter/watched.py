"""A transport that listens."""

from __future__ import annotations


class Watched:
    """A transport that keeps what errors tell."""

    def __init__(self, inner):
        self.inner = inner
        self.told = []

    def call(self, name, args, kwargs):
        try:
            return self.inner.call(name, args, kwargs)
        except Exception as error:
            self.told.append(str(error))
            raise

    def __getattr__(self, name):
        return getattr(self.inner, name)
