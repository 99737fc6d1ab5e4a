// All pairs of 16 * M rows of one matrix and 16 * M rows of another: their inner products, or their squared
// distances sum((a - b)^2). 256 threads; each has M x M pairs in registers and goes through d in steps of STEP.
#pragma once
#include "vectors.cuh"

#define PAIR_THREADS 256

template <typename R, int M>
struct pair_tile {
  static constexpr int SIDE = 16 * M;
  static constexpr int STRIDE = SIDE + 4;           // keeps fours aligned, and spreads a column over the banks
  static constexpr int STEP = M == 8 ? 8 : 16;      // what is read ahead is in registers, of which M = 8 has few
  static constexpr int PART = SIDE * STEP / PAIR_THREADS;  // numbers that a thread reads for a side
  R left[STEP * STRIDE];
  R right[STEP * STRIDE];
};

// Which row (of its side of the tile) is the i-th one of the threads with this number, of 16.
template <int M>
__device__ __forceinline__ int pair_place(int number, int i) {
  return (i >> 2) * 64 + number * 4 + (i & 3);
}

// Reads a thread's part of SIDE rows from `first` on, columns at..at+STEP-1; 0 beyond the matrix.
template <typename T, int M, int PART>
__device__ __forceinline__ void fetch_side(const T* rows, long long first, long long many, int d, int at,
                                           real_of<T> (&part)[PART]) {
  const int STEP = pair_tile<real_of<T>, M>::STEP, column = at + threadIdx.x % STEP;
#pragma unroll
  for (int u = 0; u < PART; ++u) {
    const long long row = first + threadIdx.x / STEP + u * (PAIR_THREADS / STEP);
    part[u] = row < many && column < d ? load(rows, offset_t(row) * d + column) : real_of<T>(0);
  }
}
template <typename R, int M, int PART>
__device__ __forceinline__ void keep_side(R* side, const R (&part)[PART]) {
  const int STEP = pair_tile<R, M>::STEP;
#pragma unroll
  for (int u = 0; u < PART; ++u) {
    const int row = threadIdx.x / STEP + u * (PAIR_THREADS / STEP);
    side[threadIdx.x % STEP * pair_tile<R, M>::STRIDE + row] = part[u];
  }
}
template <typename R, int M>
__device__ __forceinline__ void take_side(const R* side, int step, int number, R (&mine)[M]) {
#pragma unroll
  for (int i = 0; i < M; i += 4) {
    const packed4<R> numbers =
        *reinterpret_cast<const packed4<R>*>(side + step * pair_tile<R, M>::STRIDE + pair_place<M>(number, i));
#pragma unroll
    for (int j = 0; j < 4; ++j) mine[i + j] = numbers.value[j];
  }
}

// All threads of the block must call. made[i][j]: left row pair_place(threadIdx.x >> 4, i), right row
// pair_place(threadIdx.x & 15, j). What is in the tile afterwards is of no use, and no thread reads it any more.
template <bool DISTANCE, typename T, int M>
__device__ __forceinline__ void pairs(pair_tile<real_of<T>, M>& tile, const T* left, long long left_first,
                                      long long left_many, const T* right, long long right_first,
                                      long long right_many, int d, real_of<T> (&made)[M][M]) {
  typedef real_of<T> R;
  typedef pair_tile<R, M> Tile;
  R next_left[Tile::PART], next_right[Tile::PART];
#pragma unroll
  for (int i = 0; i < M; ++i) {
#pragma unroll
    for (int j = 0; j < M; ++j) made[i][j] = R(0);
  }
  fetch_side<T, M>(left, left_first, left_many, d, 0, next_left);
  fetch_side<T, M>(right, right_first, right_many, d, 0, next_right);
  for (int at = 0; at < d; at += Tile::STEP) {
    keep_side<R, M>(tile.left, next_left);
    keep_side<R, M>(tile.right, next_right);
    __syncthreads();
    if (at + Tile::STEP < d) {  // is on its way while the step before is computed
      fetch_side<T, M>(left, left_first, left_many, d, at + Tile::STEP, next_left);
      fetch_side<T, M>(right, right_first, right_many, d, at + Tile::STEP, next_right);
    }
#pragma unroll
    for (int step = 0; step < Tile::STEP; ++step) {
      R a[M], b[M];
      take_side<R, M>(tile.left, step, threadIdx.x >> 4, a);
      take_side<R, M>(tile.right, step, threadIdx.x & 15, b);
#pragma unroll
      for (int i = 0; i < M; ++i) {
#pragma unroll
        for (int j = 0; j < M; ++j) {
          if (DISTANCE) {
            const R difference = a[i] - b[j];
            made[i][j] += difference * difference;
          } else {
            made[i][j] += a[i] * b[j];
          }
        }
      }
    }
    __syncthreads();
  }
}
