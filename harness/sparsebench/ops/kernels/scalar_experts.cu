// The expert primitives as they are defined, one thread per input and nothing done twice. They are slow, and there to
// be counted: with -DCOUNTED, what they do must be what the closed formulas of ops charge.
#include "scalar.cuh"

// The number itself, to look at without counting.
template <typename T>
__device__ __forceinline__ T bare(real<T> number) {
#ifdef COUNTED
  return number.value;
#else
  return number;
#endif
}

// K-TanH of the leading 7 bits of the mantissa, as ops.k_tanh goes about it: numbers choose, and no bits are read.
template <typename T>
__device__ __forceinline__ real<T> scalar_k_tanh(real<T> x) {
  const T first[4] = {8, 16, 24, 0}, scale[4] = {512, 256, 128, 64};  // by octave, from [1/4, 1/2) up
  count(COUNT_CMP);  // a number without its sign
  const real<T> size = bare<T>(x) < T(0) ? real<T>(-bare<T>(x)) : x;
  const bool high = size >= real<T>(T(1)), low = size >= real<T>(high ? T(2) : T(0.5));
  count(COUNT_SELECT);  // of 2 and 1/2
  const int octave = 2 * high + low;
  count(COUNT_ADDRESS);
  count(COUNT_LOOKUP);
  count(COUNT_LOAD, 2);
  const real<T> number = size * real<T>(scale[octave]) - real<T>(T(128));
  int mantissa = 0;
  for (int bit = 64; bit; bit >>= 1) mantissa += number >= real<T>(T(mantissa + bit)) ? bit : 0;
  count(COUNT_ADDRESS, 6);  // every bit after the first
  count(COUNT_LOGIC, 2);  // two shifts and two additions of integers
  count(COUNT_ADD, 2);
  count(COUNT_LOOKUP);
  count(COUNT_LOAD, 3);
  const k_tanh_line line = K_TANH_TABLE[int(first[octave]) + (mantissa >> 4)];
  const T unit = T(__uint_as_float(unsigned(line.exponent) << 23)) / T(128);
  real<T> tangent = real<T>(T((mantissa >> line.shift) + line.bias + 128)) * real<T>(unit);
  if (size > real<T>(T(3.75))) tangent = real<T>(T(1));
  const real<T> negative = -tangent;
  count(COUNT_SELECT, 3);
  if (x < real<T>(T(0))) tangent = negative;
  return size >= real<T>(T(0.25)) ? tangent : x;
}

template <typename T>
__device__ __forceinline__ real<T> scalar_activation(int which, real<T> x, real<T> slope) {
  const real<T> zero(T(0));
  if (which == RELU) return x <= zero ? zero : x;
  if (which == PRELU) {
    const real<T> small = slope * x;  // of every number, as numbers of an array are
    count(COUNT_SELECT);
    return x > zero ? x : small;
  }
  if (which == SWISH) return x / (real<T>(T(1)) + exponential(-x));
  return which == K_TANH ? scalar_k_tanh<T>(x) : x;
}

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

// Two contestants, of which the left one has the lower numbers and so wins where they are equal. -1: out.
template <typename T>
__device__ __forceinline__ int winner(const real<T>* units, int left, int right) {
  count(COUNT_CMP);
  if (left < 0 || right < 0) return left < 0 ? right : left;
  return bare<T>(units[left]) >= bare<T>(units[right]) ? left : right;
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
