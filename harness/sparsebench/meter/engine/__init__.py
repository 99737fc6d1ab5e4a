"""The side of the meter that the harness keeps: values, execution, counting, limits."""
