"""The harness's side of a submission's process: it starts the process, talks to it, and does not trust it."""
