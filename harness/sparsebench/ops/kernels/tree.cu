// Descents of complete binary trees, stored breadth-first: right where the number is greater than the node's.
// Nodes are numbered in 32 bits: trees are at most 30 levels deep. The top levels are read from shared memory,
// and a thread has several numbers on their way at once, for the levels below are waits for memory.
#include "vectors.cuh"
#include "scalar.cuh"

#define TREE_THREADS 256
#define TREE_KEYS 4

template <typename T>
__device__ __forceinline__ void keep(T* kept, const T* from, unsigned many) {
  for (unsigned i = threadIdx.x; i < many; i += blockDim.x) kept[i] = from[i];
}

// key (n,), thresholds (2^depth - 1,) -> leaf (n,). Dynamic shared memory: the first `top` levels.
template <typename T>
__global__ void __launch_bounds__(TREE_THREADS)
    tree_route(const T* key, const T* thresholds, long long* leaf, long long n, int depth, int top) {
  DYN_SHARED(T, kept);
  keep(kept, thresholds, (1u << top) - 1u);
  __syncthreads();
  const long long step = (long long)TREE_THREADS * TREE_KEYS;
  for (long long base = blockIdx.x * step; base < n; base += gridDim.x * step) {
    T mine[TREE_KEYS];
    unsigned node[TREE_KEYS];
#pragma unroll
    for (int i = 0; i < TREE_KEYS; ++i) {
      const long long at = base + threadIdx.x + i * TREE_THREADS;
      mine[i] = key[at < n ? at : n - 1];
      node[i] = 0;
    }
    for (int level = 0; level < top; ++level) {
#pragma unroll
      for (int i = 0; i < TREE_KEYS; ++i) node[i] = 2 * node[i] + 1 + (mine[i] > kept[node[i]]);
    }
    for (int level = top; level < depth; ++level) {
      T found[TREE_KEYS];
#pragma unroll
      for (int i = 0; i < TREE_KEYS; ++i) found[i] = __ldg(thresholds + node[i]);
#pragma unroll
      for (int i = 0; i < TREE_KEYS; ++i) node[i] = 2 * node[i] + 1 + (mine[i] > found[i]);
    }
#pragma unroll
    for (int i = 0; i < TREE_KEYS; ++i) {
      const long long at = base + threadIdx.x + i * TREE_THREADS;
      if (at < n) leaf[at] = node[i] - ((1u << depth) - 1u);
    }
  }
}

// x (n, d), features and thresholds (2^depth - 1,) -> leaf (n,), -1 where a feature is out of range.
// Dynamic shared memory: thresholds of the first `top` levels, then their features.
template <typename T, typename F>
__global__ void __launch_bounds__(TREE_THREADS)
    axis_tree_route(const T* x, const F* features, const T* thresholds, long long* leaf, long long n, int d, int depth,
                    int top) {
  DYN_SHARED(T, kept);
  F* kept_features = reinterpret_cast<F*>(kept + (1u << top));
  keep(kept, thresholds, (1u << top) - 1u);
  keep(kept_features, features, (1u << top) - 1u);
  __syncthreads();
  const long long step = (long long)TREE_THREADS * TREE_KEYS;
  for (long long base = blockIdx.x * step; base < n; base += gridDim.x * step) {
    const T* row[TREE_KEYS];
    unsigned node[TREE_KEYS];
    bool lost[TREE_KEYS];
#pragma unroll
    for (int i = 0; i < TREE_KEYS; ++i) {
      const long long at = base + threadIdx.x + i * TREE_THREADS;
      row[i] = x + offset_t(at < n ? at : n - 1) * d;
      node[i] = 0;
      lost[i] = false;
    }
    for (int level = 0; level < depth; ++level) {
      long long feature[TREE_KEYS];
      T threshold[TREE_KEYS];
#pragma unroll
      for (int i = 0; i < TREE_KEYS; ++i) {
        feature[i] = level < top ? kept_features[node[i]] : features[node[i]];
        threshold[i] = level < top ? kept[node[i]] : thresholds[node[i]];
        if (feature[i] < 0 || feature[i] >= d) {
          lost[i] = true;
          feature[i] = 0;
        }
      }
#pragma unroll
      for (int i = 0; i < TREE_KEYS; ++i) {
        node[i] = 2 * node[i] + 1 + (d > 0 && row[i][feature[i]] > threshold[i]);
      }
    }
#pragma unroll
    for (int i = 0; i < TREE_KEYS; ++i) {
      const long long at = base + threadIdx.x + i * TREE_THREADS;
      if (at < n) leaf[at] = lost[i] ? -1 : (long long)(node[i] - ((1u << depth) - 1u));
    }
  }
}

// x (n, d), normals (2^depth - 1, d), thresholds (2^depth - 1,) -> leaf (n,). LANES lanes share a row.
template <typename T, int LANES>
__global__ void __launch_bounds__(TREE_THREADS)
    oblique_tree_route(const T* x, const T* normals, const T* thresholds, long long* leaf, long long n, int d,
                       int depth) {
  typedef real_of<T> R;
  const int ROWS = TREE_THREADS / LANES, lane = threadIdx.x % LANES;
  const bool dense = by_fours(x, d) && by_fours(normals, d);
  for (long long base = (long long)blockIdx.x * ROWS; base < n; base += (long long)gridDim.x * ROWS) {
    const long long row = base + threadIdx.x / LANES;
    const T* mine = x + offset_t(row < n ? row : n - 1) * d;  // all lanes go on: they sum up together
    unsigned node = 0;
    for (int level = 0; level < depth; ++level) {
      const T* normal = normals + offset_t(node) * d;
      const T threshold = __ldg(thresholds + node);
      R side = R(0);
      for (int at = 4 * lane; at < d; at += 4 * LANES) {
        const four<R> a = load4(mine, at, d, dense), b = load4(normal, at, d, dense);
#pragma unroll
        for (int i = 0; i < 4; ++i) side += a.value[i] * b.value[i];
      }
      node = 2 * node + 1 + (sum_of_lanes<LANES>(side) > threshold);
    }
    if (lane == 0 && row < n) leaf[row] = node - ((1u << depth) - 1u);
  }
}

// Whether an edge is below a key. Sorts put NaN behind all numbers, so all edges are below it.
template <typename T>
__device__ __forceinline__ bool beyond(T key, T edge) {
  return key > edge || (key != key && edge == edge);
}

// key (n,), edges (m,) ascending -> below (n,): how many edges are less than the key. Dynamic shared memory: the
// last one of each of the m >> bits whole runs of 2^bits edges; in them a key's run is found first.
template <typename T>
__global__ void __launch_bounds__(TREE_THREADS)
    searchsorted_route(const T* key, const T* edges, long long* below, long long n, long long m, int bits) {
  DYN_SHARED(T, last);
  const int runs = int(m >> bits);
  for (int i = threadIdx.x; i < runs; i += TREE_THREADS) last[i] = edges[((long long)(i + 1) << bits) - 1];
  __syncthreads();
  const long long step = (long long)TREE_THREADS * TREE_KEYS;
  for (long long base = blockIdx.x * step; base < n; base += gridDim.x * step) {
    T mine[TREE_KEYS];
    long long low[TREE_KEYS];
#pragma unroll
    for (int i = 0; i < TREE_KEYS; ++i) {
      const long long at = base + threadIdx.x + i * TREE_THREADS;
      mine[i] = key[at < n ? at : n - 1];
      int from = 0;
      for (int many = runs; many > 0;) {  // from + many: an upper limit
        const int half = many >> 1;
        const bool right = beyond(mine[i], last[from + half]);
        from += right ? half + 1 : 0;
        many = right ? many - half - 1 : half;
      }
      low[i] = (long long)from << bits;
    }
    for (long long half = bits ? 1ll << (bits - 1) : 0; half > 0; half >>= 1) {
#pragma unroll
      for (int i = 0; i < TREE_KEYS; ++i) {
        const long long probe = low[i] + half - 1;
        if (probe < m && beyond(mine[i], __ldg(edges + probe))) low[i] += half;
      }
    }
#pragma unroll
    for (int i = 0; i < TREE_KEYS; ++i) {
      const long long at = base + threadIdx.x + i * TREE_THREADS;
      if (at < n) below[at] = low[i];
    }
  }
}

// As it is defined, one thread per input and nothing done twice. It is slow, and there to be counted: with -DCOUNTED,
// what it does must be what the closed formula of its price charges.

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
