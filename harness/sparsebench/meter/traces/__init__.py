"""What was asked of the meter, written down: the format, its files, recording and playing."""
