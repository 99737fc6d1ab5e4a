"""The definition of primitives: arguments, charges, and steady execution."""
