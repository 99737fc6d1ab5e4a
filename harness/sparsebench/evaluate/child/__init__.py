"""What runs beside a stranger: the submission's process. Nothing of the trusted side is imported here."""
