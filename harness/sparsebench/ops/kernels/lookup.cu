// Constants at computed addresses.
#include "places.cuh"

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
