"""Look-ups: one record from one or several tables, at a computed address."""
