// A layer of a convolutional arithmetic circuit: a product over a window of linear maps, one for each place in it.
#include "places.cuh"
#include "scalar.cuh"

#define CONVAC_THREADS 256

// x (n, positions, m), weights (window, channels, m) -> out (n, windows, channels). kept: whether the weights lie in
// shared memory, features after channels, and one number more in a row of these: neighbours meet in no bank.
template <typename T>
__global__ void __launch_bounds__(CONVAC_THREADS)
    convac_layer(const T* x, const T* weights, T* out, long long n, int positions, int m, int window, int channels,
                 int windows, int stride, int kept) {
  typedef real_of<T> R;
  DYN_SHARED(T, own);
  const int wide = channels | 1;
  for (int i = threadIdx.x; kept && i < window * channels * m; i += CONVAC_THREADS) {
    const int feature = i % m, line = i / m;
    own[(line / channels * m + feature) * wide + line % channels] = weights[i];
  }
  __syncthreads();
  const long long step = (long long)gridDim.x * CONVAC_THREADS, many = n * windows * channels;
  for (long long i = (long long)blockIdx.x * CONVAC_THREADS + threadIdx.x; i < many; i += step) {
    const row_and_column at = place_in_rows(i, channels), seen_at = place_in_rows(at.row, windows);
    const T* seen = x + (offset_t(seen_at.row) * positions + offset_t(seen_at.column) * stride) * m;
    R product = R(1);
    for (int j = 0; j < window; ++j) {
      const T* line = kept ? own + j * m * wide + at.column : weights + (offset_t(j) * channels + at.column) * m;
      const int apart = kept ? wide : 1;
      R sum = R(0);
      for (int c = 0; c < m; ++c) sum += load(seen, offset_t(j) * m + c) * load(line, c * apart);
      product = j ? product * sum : sum;
    }
    store(out, i, product);
  }
}

// As it is defined, one thread per input and nothing done twice. It is slow, and there to be counted: with -DCOUNTED,
// what it does must be what the closed formula of its price charges.

// x (n, positions, m), weights (window, channels, m) -> out (n, windows, channels).
template <typename T>
__global__ void scalar_convac_layer(const real<T>* x, const real<T>* weights, real<T>* out, unsigned long long* totals,
                                    long long n, int positions, int m, int window, int channels, int windows,
                                    int stride) {
  count_scope scope(totals);
  const long long row = own_row(n);
  if (row < 0) return;
  for (int p = 0; p < windows; ++p) {
    const real<T>* seen = x + (row * positions + p * stride) * m;
    for (int c = 0; c < channels; ++c) {
      real<T> all = product<T>(seen, weights + offset_t(c) * m, m);
      for (int j = 1; j < window; ++j) all *= product<T>(seen + j * m, weights + (offset_t(j) * channels + c) * m, m);
      out[(row * windows + p) * channels + c] = all;
    }
  }
}
