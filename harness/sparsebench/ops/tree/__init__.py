"""Tree descent."""
