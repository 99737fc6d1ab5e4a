"""The harness's side of the meter: values, execution, counting, limits."""
