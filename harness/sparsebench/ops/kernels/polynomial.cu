// Polynomials of several variables. A block makes the monomials of a row, degree after degree, and its warps sum
// them up with the coefficients of the row's buckets.
#include "common.cuh"
#include "scalar.cuh"

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

// As it is defined, one thread per input and nothing done twice. It is slow, and there to be counted: with -DCOUNTED,
// what it does must be what the closed formula of its price charges.

// x (n, d), index (n, k), coefficients (buckets, h, monomials) -> out (n, k, h). Monomial j is monomial parent[j] times
// x[factor[j]]; made (n, monomials) is room for them.
template <typename T>
__global__ void scalar_grouped_polynomial(const real<T>* x, const long long* index, const real<T>* coefficients,
                                          const int* parent, const int* factor, real<T>* out, real<T>* made,
                                          unsigned long long* totals, long long n, int d, int k, int h, int monomials) {
  count_scope scope(totals);
  const long long row = own_row(n);
  if (row < 0) return;
  made += row * monomials;
  for (int j = 1; j < monomials; ++j) {
    const real<T> times = x[row * d + factor[j]];
    made[j] = parent[j] ? made[parent[j]] * times : times;
  }
  for (int j = 0; j < k; ++j) {
    const real<T>* record = looked_up(coefficients, offset_t(index[row * k + j]), offset_t(h) * monomials);
    for (int c = 0; c < h; ++c, record += monomials) {
      real<T>* to = out + (row * k + j) * h + c;
      *to = record[0];
      if (monomials > 1) *to += product<T>(record + 1, made + 1, monomials - 1);
    }
  }
}
