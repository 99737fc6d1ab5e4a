"""Selection of the largest."""
