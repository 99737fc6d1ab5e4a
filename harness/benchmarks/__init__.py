"""The asv suite: `asv run --python=same --set-commit-hash $(git rev-parse HEAD)`."""
