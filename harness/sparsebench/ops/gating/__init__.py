"""Gates: which experts a row goes to, and with which weights."""
