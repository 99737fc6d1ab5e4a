// What the kernels share that do one input in one thread, to be counted.
#pragma once
#include "counted.cuh"

template <typename T>
using real = counted<T>;

// The row of this thread, or -1.
__device__ __forceinline__ long long own_row(long long n) {
  const long long row = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  return row < n ? row : -1;
}

template <typename T>
__device__ __forceinline__ real<T> product(const real<T>* a, const real<T>* b, int d) {
  if (d == 0) return real<T>(T(0));
  real<T> sum = a[0] * b[0];
  for (int i = 1; i < d; ++i) sum += a[i] * b[i];
  return sum;
}
