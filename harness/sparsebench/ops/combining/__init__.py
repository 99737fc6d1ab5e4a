"""What stands behind the experts: gated sums of their values, and masks of the largest units."""
