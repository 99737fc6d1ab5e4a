"""What fast backends on NumPy share: rows sorted by expert, and BLAS."""
