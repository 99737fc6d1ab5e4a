"""Small tools that every layer uses: names, whole replacement of files, faults, the cache's root."""
