"""What the harness checks of a cell by itself: the verdicts, and the runs that some of them take."""
