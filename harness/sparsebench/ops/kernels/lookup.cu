// Constants at computed addresses.
#include "places.cuh"
#include "scalar.cuh"

#define LOOKUP_THREADS 256

// index (n, k), constants (experts, h), gates (n, k) or null -> out (n, h): sums over k; NaN where an index is not
// in [0, experts).
template <typename T, typename I>
__global__ void __launch_bounds__(LOOKUP_THREADS)
    gather_constant(const I* index, const T* constants, const T* gates, T* out, long long n, int k, int h,
                    long long experts) {
  typedef real_of<T> R;
  const long long step = (long long)gridDim.x * LOOKUP_THREADS;
  for (long long i = (long long)blockIdx.x * LOOKUP_THREADS + threadIdx.x; i < n * h; i += step) {
    const row_and_column at = place_in_rows(i, h);
    R sum = R(0);
    for (int j = 0; j < k; ++j) {
      const long long e = (long long)index[offset_t(at.row) * k + j];
      const R one = e >= 0 && e < experts ? load(constants, offset_t(e) * h + at.column) : not_a_number<R>();
      sum += gates ? one * load(gates, offset_t(at.row) * k + j) : one;
    }
    store(out, i, sum);
  }
}

// As it is defined, one thread per input and nothing done twice. It is slow, and there to be counted: with -DCOUNTED,
// what it does must be what the closed formula of its price charges.

// index (n, k), constants (experts, h), gates (n, k) or null, k at least 1 -> out (n, h).
template <typename T>
__global__ void scalar_gather_constant(const long long* index, const real<T>* constants, const real<T>* gates,
                                       real<T>* out, unsigned long long* totals, long long n, int k, int h) {
  count_scope scope(totals);
  const long long row = own_row(n);
  if (row < 0) return;
  for (int j = 0; j < k; ++j) {
    const real<T>* record = looked_up(constants, offset_t(index[row * k + j]), h);
    for (int c = 0; c < h; ++c) {
      const real<T> one = gates ? record[c] * gates[row * k + j] : record[c];
      if (j == 0) {
        out[row * h + c] = one;
      } else {
        out[row * h + c] += one;
      }
    }
  }
}
