// The routing primitives as they are defined, one thread per input and nothing done twice. They are slow, and
// there to be counted: with -DCOUNTED, what they do must be what the closed formulas of ops charge.
#include "scalar.cuh"

template <typename T>
__device__ __forceinline__ real<T> squared_distance(const real<T>* a, const real<T>* b, int d) {
  if (d == 0) return real<T>(T(0));
  const real<T> first = a[0] - b[0];
  real<T> sum = first * first;
  for (int i = 1; i < d; ++i) {
    const real<T> difference = a[i] - b[i];
    sum += difference * difference;
  }
  return sum;
}

// x (n, d), planes (tables, k, d), offsets (tables, k) or null -> out (n, tables).
template <typename T>
__global__ void scalar_hyperplane_hash(const real<T>* x, const real<T>* planes, const real<T>* offsets, long long* out,
                                       unsigned long long* totals, long long n, int d, int tables, int k) {
  count_scope scope(totals);
  const long long row = own_row(n);
  if (row < 0) return;
  for (int table = 0; table < tables; ++table) {
    long long address = 0;
    for (int plane = 0; plane < k; ++plane) {
      const offset_t at = offset_t(table) * k + plane;
      const real<T> offset = offsets ? offsets[at] : real<T>(T(0));
      joined(plane);
      address = address << 1 | (product<T>(x + row * d, planes + at * d, d) > offset);
    }
    out[row * tables + table] = address;
  }
}

// The cell of a number by halving: a comparison for every bit of the decision, which is then carried into the cell.
template <typename T>
__device__ __forceinline__ long long cell_of(real<T> number, long long levels) {
  long long low = 0;
  int bits = 0;
  while ((1ll << bits) < levels) ++bits;
  for (int bit = bits - 1; bit >= 0; --bit) {
    const long long probe = low + (1ll << bit);
    joined(bits - 1 - bit);
    if (number >= real<T>(T(probe)) && probe < levels) low = probe;
  }
  return low;
}

template <typename T>
__global__ void scalar_pstable_hash(const real<T>* x, const real<T>* directions, const real<T>* offsets, long long* out,
                                    unsigned long long* totals, long long n, int d, int tables, int k,
                                    long long levels) {
  count_scope scope(totals);
  const long long row = own_row(n);
  if (row < 0) return;
  for (int table = 0; table < tables; ++table) {
    long long address = 0;
    for (int i = 0; i < k; ++i) {
      const offset_t at = offset_t(table) * k + i;
      const long long cell = cell_of<T>(product<T>(x + row * d, directions + at * d, d) + offsets[at], levels);
      if (i == 0) {
        address = cell;
      } else {  // integers are not `real`
        count(COUNT_MUL);
        count(COUNT_ADD);
        address = address * levels + cell;
      }
    }
    out[row * tables + table] = address;
  }
}

template <typename T>
__device__ __forceinline__ int nearest_of(const real<T>* x, const real<T>* points, int many, int d) {
  real<T> least = squared_distance<T>(x, points, d);
  int nearest = 0;
  for (int point = 1; point < many; ++point) {
    const real<T> distance = squared_distance<T>(x, points + offset_t(point) * d, d);
    if (distance < least) {
      least = distance;
      nearest = point;
    }
  }
  return nearest;
}

template <typename T>
__global__ void scalar_nearest_prototype(const real<T>* x, const real<T>* points, long long* nearest,
                                         unsigned long long* totals, long long n, int many, int d) {
  count_scope scope(totals);
  const long long row = own_row(n);
  if (row >= 0) nearest[row] = nearest_of<T>(x + row * d, points, many, d);
}

template <typename T>
__global__ void scalar_nearest_in_tree(const real<T>* x, const real<T>* points, long long* leaf,
                                       unsigned long long* totals, long long n, int d, int arity, int depth) {
  count_scope scope(totals);
  const long long row = own_row(n);
  if (row < 0) return;
  offset_t address = 0, first = 0, nodes = 1;
  for (int level = 0; level < depth; ++level) {
    joined(level);
    const real<T>* children = looked_up(points + first * d, address, offset_t(arity) * d);
    address = address * arity + nearest_of<T>(x + row * d, children, arity, d);
    nodes *= arity;
    first += nodes;
  }
  leaf[row] = (long long)address;
}

template <typename T>
__global__ void scalar_tree_route(const real<T>* key, const real<T>* thresholds, long long* leaf,
                                  unsigned long long* totals, long long n, int depth) {
  count_scope scope(totals);
  const long long row = own_row(n);
  if (row < 0) return;
  offset_t address = 0;
  for (int level = 0; level < depth; ++level) {
    joined(level);
    const real<T> threshold = *looked_up(thresholds + ((1u << level) - 1u), address, 1);
    address = address << 1 | (key[row] > threshold);
  }
  leaf[row] = (long long)address;
}

template <typename T>
__global__ void scalar_axis_tree_route(const real<T>* x, const long long* features, const real<T>* thresholds,
                                       long long* leaf, unsigned long long* totals, long long n, int d, int depth) {
  count_scope scope(totals);
  const long long row = own_row(n);
  if (row < 0) return;
  offset_t address = 0;
  for (int level = 0; level < depth; ++level) {
    const offset_t first = (1u << level) - 1u;
    joined(level);
    const long long feature = *looked_up(features + first, address, 1);
    const real<T> threshold = *beside(thresholds + first, address, 1);
    address = address << 1 | (*looked_up(x + row * d, offset_t(feature), 1) > threshold);
  }
  leaf[row] = (long long)address;
}

template <typename T>
__global__ void scalar_oblique_tree_route(const real<T>* x, const real<T>* normals, const real<T>* thresholds,
                                          long long* leaf, unsigned long long* totals, long long n, int d, int depth) {
  count_scope scope(totals);
  const long long row = own_row(n);
  if (row < 0) return;
  offset_t address = 0;
  for (int level = 0; level < depth; ++level) {
    const offset_t first = (1u << level) - 1u;
    joined(level);
    const real<T>* normal = looked_up(normals + first * d, address, offset_t(d));
    const real<T> threshold = *beside(thresholds + first, address, 1);
    address = address << 1 | (product<T>(x + row * d, normal, d) > threshold);
  }
  leaf[row] = (long long)address;
}

// Halves the number of answers that are left, m + 1 at first, in the same number of steps for every key.
template <typename T>
__global__ void scalar_searchsorted_route(const real<T>* key, const real<T>* edges, long long* below,
                                          unsigned long long* totals, long long n, long long m) {
  count_scope scope(totals);
  const long long row = own_row(n);
  if (row < 0) return;
  long long low = 0, left = m + 1;
  for (int level = 0; left > 1; ++level) {
    const long long half = left / 2;
    joined(level);
    if (key[row] > *looked_up(edges, offset_t(low + half - 1), 1)) low += half;
    left -= half;  // of an odd number one answer too many is kept: the steps stay the same
  }
  below[row] = low;
}

// Two contestants, of which the left one has the lower numbers and so wins where they are equal. -1: out.
template <typename T>
__device__ __forceinline__ int winner(const real<T>* logits, int left, int right) {
  count(COUNT_CMP);
  if (left < 0 || right < 0) return left < 0 ? right : left;
#ifdef COUNTED
  return logits[left].value >= logits[right].value ? left : right;
#else
  return logits[left] >= logits[right] ? left : right;
#endif
}

// x (n, d), weights (many, d), bias (many,) or null -> experts and gates (n, k). Selection by a tournament: many - 1
// comparisons for the first, and as many as it has rounds for every other one: those of the last one's matches.
// logits (n, many) and matches (n, 2 * many) are room to work in; many is a power of 2.
template <typename T>
__global__ void scalar_top_k_gate(const real<T>* x, const real<T>* weights, const real<T>* bias, long long* experts,
                                  real<T>* gates, unsigned long long* totals, real<T>* logits, int* matches,
                                  long long n, int many, int d, int k) {
  count_scope scope(totals);
  const long long row = own_row(n);
  if (row < 0) return;
  logits += row * many;
  matches += row * 2 * many;
  gates += row * k;
  for (int expert = 0; expert < many; ++expert) {
    logits[expert] = product<T>(x + row * d, weights + offset_t(expert) * d, d);
    if (bias) logits[expert] += bias[expert];
    matches[many + expert] = expert;
  }
  for (int match = many - 1; match > 0; --match) {
    matches[match] = winner<T>(logits, matches[2 * match], matches[2 * match + 1]);
  }
  for (int place = 0; place < k; ++place) {
    const int chosen = matches[1];
    experts[row * k + place] = chosen;
    gates[place] = logits[chosen];
    if (place == k - 1) break;
    matches[many + chosen] = -1;
    for (int match = (many + chosen) / 2; match > 0; match /= 2) {
      matches[match] = winner<T>(logits, matches[2 * match], matches[2 * match + 1]);
    }
  }
  real<T> greatest = gates[0];
  for (int place = 1; place < k; ++place) greatest = maximum(greatest, gates[place]);
  for (int place = 0; place < k; ++place) gates[place] = exponential(gates[place] - greatest);
  real<T> whole = gates[0];
  for (int place = 1; place < k; ++place) whole += gates[place];
  for (int place = 0; place < k; ++place) gates[place] /= whole;
}
