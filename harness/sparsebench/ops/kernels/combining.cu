// Sums over the experts of an input, weighted by gates; and the readout of the largest units.
#include "places.cuh"
#include "ranking.cuh"
#include "scalar.cuh"

#define COMBINE_THREADS 256

// values (n, k, h), gates (n, k) -> out (n, h).
template <typename T>
__global__ void __launch_bounds__(COMBINE_THREADS)
    segment_combine(const T* values, const T* gates, T* out, long long n, int k, int h) {
  typedef real_of<T> R;
  const long long step = (long long)gridDim.x * COMBINE_THREADS;
  for (long long i = (long long)blockIdx.x * COMBINE_THREADS + threadIdx.x; i < n * h; i += step) {
    const row_and_column at = place_in_rows(i, h);
    const T* from = values + offset_t(at.row) * k * h + at.column;
    R sum = R(0);
    for (int j = 0; j < k; ++j) sum += load(from, offset_t(j) * h) * load(gates, offset_t(at.row) * k + j);
    store(out, i, sum);
  }
}

template <typename R>
__device__ __forceinline__ void rank_in(R (&value)[1], int (&number)[1], R brought, int its_number, bool there, int k) {
  rank_in(value[0], number[0], brought, its_number, there, k);
}

// preactivations (n, t), readout (t, o), bias (o,) or null -> out (n, o): the k largest, k at most 32 * LISTS, what is
// below 0 of them left out. A warp for a row.
template <typename T, int LISTS>
__global__ void __launch_bounds__(COMBINE_THREADS)
    top_k_mask_linear(const T* preactivations, const T* readout, const T* bias, T* out, long long n, int t, int o,
                      int k) {
  typedef real_of<T> R;
  const int WARPS = COMBINE_THREADS / 32;
  const long long step = (long long)gridDim.x * WARPS;
  for (long long row = (long long)blockIdx.x * WARPS + threadIdx.x / 32; row < n; row += step) {
    R value[LISTS] = {};
    int unit[LISTS];
#pragma unroll
    for (int list = 0; list < LISTS; ++list) unit[list] = -1;
    for (int from = 0; from < t; from += 32) {
      const int at = from + int(LANE);
      const R brought = at < t ? load(preactivations, offset_t(row) * t + at) : R(0);
      rank_in(value, unit, brought, at, at < t, k);
    }
    for (int from = 0; from < o; from += 32) {
      const int column = from + int(LANE);
      R sum = R(0);
#pragma unroll
      for (int list = 0; list < LISTS; ++list) {
        for (int j = list * 32; j < k && j < list * 32 + 32; ++j) {
          const R height = relu(__shfl_sync(EVERY_LANE, value[list], j % 32));
          const int its = __shfl_sync(EVERY_LANE, unit[list], j % 32);
          if (column < o) sum += height * load(readout, offset_t(its) * o + column);
        }
      }
      if (column < o) store(out, offset_t(row) * o + column, bias ? sum + load(bias, column) : sum);
    }
  }
}

// As it is defined, one thread per input and nothing done twice. It is slow, and there to be counted: with -DCOUNTED,
// what it does must be what the closed formula of its price charges.

// values (n, k, h), gates (n, k), k at least 1 -> out (n, h).
template <typename T>
__global__ void scalar_segment_combine(const real<T>* values, const real<T>* gates, real<T>* out,
                                       unsigned long long* totals, long long n, int k, int h) {
  count_scope scope(totals);
  const long long row = own_row(n);
  if (row < 0) return;
  for (int c = 0; c < h; ++c) {
    real<T> sum = values[row * k * h + c] * gates[row * k];
    for (int j = 1; j < k; ++j) sum += values[(row * k + j) * h + c] * gates[row * k + j];
    out[row * h + c] = sum;
  }
}

// preactivations (n, t), readout (t, o), bias (o,) or null -> out (n, o). Selection by a tournament: t - 1 comparisons
// for the first, and as many as it has rounds for every other one. matches (n, 2 * t) is room; t is a power of 2.
template <typename T>
__global__ void scalar_top_k_mask_linear(const real<T>* preactivations, const real<T>* readout, const real<T>* bias,
                                         real<T>* out, int* matches, unsigned long long* totals, long long n, int t,
                                         int o, int k) {
  count_scope scope(totals);
  const long long row = own_row(n);
  if (row < 0) return;
  const real<T>* units = preactivations + row * t;
  matches += row * 2 * t;
  for (int unit = 0; unit < t; ++unit) matches[t + unit] = unit;
  for (int match = t - 1; match > 0; --match) {
    matches[match] = winner<T>(units, matches[2 * match], matches[2 * match + 1]);
  }
  for (int place = 0; place < k; ++place) {
    const int kept = matches[1];
    const real<T> height = scalar_activation<T>(RELU, units[kept], real<T>(T(0)));
    const real<T>* record = looked_up(readout, offset_t(kept), o);
    for (int c = 0; c < o; ++c) {
      const real<T> one = height * record[c];
      if (place == 0) {
        out[row * o + c] = one;
      } else {
        out[row * o + c] += one;
      }
    }
    if (place == k - 1) break;
    matches[t + kept] = -1;
    for (int match = (t + kept) / 2; match > 0; match /= 2) {
      matches[match] = winner<T>(units, matches[2 * match], matches[2 * match + 1]);
    }
  }
  for (int c = 0; bias && c < o; ++c) out[row * o + c] += bias[c];
}
