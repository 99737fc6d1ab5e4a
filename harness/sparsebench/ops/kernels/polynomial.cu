// Polynomials of several variables. A block makes the monomials of a row, degree after degree, and its warps sum
// them up with the coefficients of the row's buckets.
#include "common.cuh"

#define POLYNOMIAL_THREADS 128

// x (n, d), index (n, k), coefficients (buckets, h, monomials) -> out (n, k, h); NaN where an index is not in
// [0, buckets). Monomial j is monomial parent[j] times x[factor[j]]; those of degree g begin at begins[g].
template <typename T, typename I>
__global__ void __launch_bounds__(POLYNOMIAL_THREADS)
    grouped_polynomial(const T* x, const I* index, const T* coefficients, const int* parent, const int* factor,
                       const int* begins, T* out, long long n, int d, int k, int h, int monomials, int degree,
                       long long buckets) {
  typedef real_of<T> R;
  DYN_SHARED(R, made);
  const int WARPS = POLYNOMIAL_THREADS / 32;
  for (long long row = blockIdx.x; row < n; row += gridDim.x) {
    if (threadIdx.x == 0) made[0] = R(1);
    for (int g = 1; g <= degree; ++g) {
      __syncthreads();
      for (int j = begins[g] + threadIdx.x; j < begins[g + 1]; j += POLYNOMIAL_THREADS) {
        const R times = load(x, offset_t(row) * d + factor[j]);
        made[j] = g == 1 ? times : made[parent[j]] * times;
      }
    }
    __syncthreads();
    for (int unit = threadIdx.x / 32; unit < k * h; unit += WARPS) {
      const long long e = (long long)index[offset_t(row) * k + unit / h];
      const bool there = e >= 0 && e < buckets;
      const T* own = coefficients + (offset_t(there ? e : 0) * h + unit % h) * monomials;
      R sum = R(0);
      for (int j = LANE; there && j < monomials; j += 32) sum += made[j] * load(own, j);
      sum = warp_sum(sum);
      if (LANE == 0) store(out, offset_t(row) * k * h + unit, there ? sum : not_a_number<R>());
    }
    __syncthreads();
  }
}
