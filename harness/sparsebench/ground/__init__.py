"""Small tools that every floor uses: names, files that are replaced whole, faults, the cache's root."""
