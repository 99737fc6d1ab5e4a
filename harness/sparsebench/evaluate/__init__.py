"""Evaluation: plan, cells, the submission's process, audits, timing."""
