"""Nearest prototype."""
