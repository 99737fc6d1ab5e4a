// Four numbers at a time, as the type that is computed in, and sums over a few lanes that share a row.
#pragma once
#include "common.cuh"

template <typename R>
struct four {
  R value[4];
};

// Four numbers as they are stored, read by one instruction or two.
template <typename T>
struct __align__(4 * sizeof(T) < 16 ? 4 * sizeof(T) : 16) packed4 {
  T value[4];
};

// Numbers at..at+3 of a row of d: those from d on are 0. `dense`: d is a multiple of 4 and rows are aligned.
template <typename T>
__device__ __forceinline__ four<real_of<T>> load4(const T* row, int at, int d, bool dense) {
  four<real_of<T>> numbers;
  if (dense) {
    packed4<T> packed = {};
    if (at < d) packed = *reinterpret_cast<const packed4<T>*>(row + at);
#pragma unroll
    for (int i = 0; i < 4; ++i) numbers.value[i] = to_real<T>(packed.value[i]);
  } else {
#pragma unroll
    for (int i = 0; i < 4; ++i) numbers.value[i] = at + i < d ? to_real<T>(row[at + i]) : real_of<T>(0);
  }
  return numbers;
}

// Whether rows of d numbers from `rows` on may be read four at a time.
template <typename T>
__device__ __forceinline__ bool by_fours(const T* rows, int d) {
  return (d & 3) == 0 && aligned16(rows);
}

// The sum over LANES neighbouring lanes, in each of them; the whole warp must call.
template <int LANES, typename R>
__device__ __forceinline__ R sum_of_lanes(R value) {
#pragma unroll
  for (int step = LANES / 2; step; step >>= 1) value += __shfl_xor_sync(EVERY_LANE, value, step);
  return value;
}

// argmin's order: less, and a NaN before all numbers.
template <typename R>
__device__ __forceinline__ bool before(R a, R b) {
  return a < b || (a != a && b == b);
}
