"""The harness's own checks of a cell: the verdicts, and the runs that some of them need."""
