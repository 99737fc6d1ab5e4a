"""Boards of anybody's own: publishing them as static files, and keeping them in a repository."""
