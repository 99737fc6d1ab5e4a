// Layers of experts as they are defined, one thread per input and nothing done twice. They are slow, and there to
// be counted: with -DCOUNTED, what they do must be what the closed formulas of ops charge.
#include "scalar.cuh"

// One layer: x (d,), weights (h, d), bias (h,) or null -> out (h,).
template <typename T>
__device__ __forceinline__ void scalar_layer(const real<T>* x, const real<T>* weights, const real<T>* bias,
                                             real<T>* out, int h, int d) {
  for (int c = 0; c < h; ++c) {
    out[c] = product<T>(x, weights + offset_t(c) * d, d);
    if (bias) out[c] += bias[c];
  }
}

// x (n, d0), index (n, chosen), layers of widths d0, d1, ... -> out (n, chosen, last width). hidden (n, 2, widest) is
// room to work in. Unused layers have no weights.
template <typename T>
__global__ void scalar_grouped_mlp(const real<T>* x, const long long* index, const real<T>* w0, const real<T>* b0,
                                   const real<T>* w1, const real<T>* b1, const real<T>* w2, const real<T>* b2,
                                   real<T>* out, real<T>* hidden, unsigned long long* totals, long long n, int chosen,
                                   int d0, int d1, int d2, int d3, int layers, int widest, int activation, T slope) {
  count_scope scope(totals);
  const long long row = own_row(n);
  if (row < 0) return;
  const real<T>* const w[3] = {w0, w1, w2};
  const real<T>* const b[3] = {b0, b1, b2};
  const int widths[4] = {d0, d1, d2, d3};
  for (int j = 0; j < chosen; ++j) {
    const offset_t e = offset_t(index[row * chosen + j]);
    count(COUNT_LOOKUP);
    const real<T>* given = x + row * d0;
    for (int l = 0; l < layers; ++l) {
      const int h = widths[l + 1], d = widths[l];
      const real<T>* weights = beside(w[l], e, offset_t(h) * d);
      const real<T>* bias = b[l] ? beside(b[l], e, h) : nullptr;
      real<T>* made = l + 1 < layers ? hidden + (row * 2 + l % 2) * widest : out + (row * chosen + j) * h;
      scalar_layer<T>(given, weights, bias, made, h, d);
      for (int c = 0; l + 1 < layers && c < h; ++c) made[c] = scalar_activation<T>(activation, made[c], real<T>(slope));
      given = made;
    }
  }
}

// One record of `size` numbers of every expert, averaged by gates (experts,).
template <typename T>
__device__ __forceinline__ void scalar_merge(const real<T>* gates, const real<T>* table, real<T>* merged, int experts,
                                             int size) {
  for (int i = 0; i < size; ++i) {
    merged[i] = gates[0] * table[i];
    for (int e = 1; e < experts; ++e) merged[i] += gates[e] * table[offset_t(e) * size + i];
  }
}

// x (n, positions, d0), gates (n, experts) -> out (n, positions, last width). merged (n, largest record of a layer) and
// hidden (n, 2, positions * widest) are room to work in.
template <typename T>
__global__ void scalar_merged_mlp(const real<T>* x, const real<T>* gates, const real<T>* w0, const real<T>* b0,
                                  const real<T>* w1, const real<T>* b1, const real<T>* w2, const real<T>* b2,
                                  real<T>* out, real<T>* merged, real<T>* hidden, unsigned long long* totals,
                                  long long n, int positions, int experts, int d0, int d1, int d2, int d3, int layers,
                                  int largest, int widest, int activation, T slope) {
  count_scope scope(totals);
  const long long row = own_row(n);
  if (row < 0) return;
  const real<T>* const w[3] = {w0, w1, w2};
  const real<T>* const b[3] = {b0, b1, b2};
  const int widths[4] = {d0, d1, d2, d3};
  const real<T>* given = x + row * positions * d0;
  for (int l = 0; l < layers; ++l) {
    const int h = widths[l + 1], d = widths[l];
    real<T>* weights = merged + row * largest;
    real<T>* bias = b[l] ? weights + h * d : nullptr;
    scalar_merge<T>(gates + row * experts, w[l], weights, experts, h * d);
    if (bias) scalar_merge<T>(gates + row * experts, b[l], bias, experts, h);
    real<T>* made = l + 1 < layers ? hidden + (row * 2 + l % 2) * positions * widest : out + row * positions * h;
    for (int p = 0; p < positions; ++p) {
      scalar_layer<T>(given + p * d, weights, bias, made + p * h, h, d);
      for (int c = 0; l + 1 < layers && c < h; ++c) {
        made[p * h + c] = scalar_activation<T>(activation, made[p * h + c], real<T>(slope));
      }
    }
    given = made;
  }
}
