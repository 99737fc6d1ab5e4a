"""The harness's side of a submission's process: what starts it, talks to it, and believes nothing of it."""
