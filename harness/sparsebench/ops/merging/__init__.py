"""Merged experts: one layer made of all experts for every example."""
