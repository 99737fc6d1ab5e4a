"""Tools for the author of a submission: trying it, explaining its cost, and showing both."""
