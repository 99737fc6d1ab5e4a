"""A task's metadata in the Croissant vocabulary."""
