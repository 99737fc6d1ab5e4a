"""What backends on a GPU share: CUDA kernels and their launches."""
