"""The submission's process. Nothing of the trusted side is imported here."""
