"""The meter's side in the submission's process: arrays without values, and their namespace."""
