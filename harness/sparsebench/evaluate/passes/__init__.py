"""The metered passes: whole splits in batches, samples one by one, and what is counted in them."""
