// The nearest of points: of all of them, or of the children of a node, level by level.
#include "pairs.cuh"
#include "scalar.cuh"

// x (n, d), points (many, d) -> nearest (n,): the first at the least sum((x - point)^2), a NaN counting as less.
// A block has 16 * M rows and goes through all points.
template <typename T, int M>
__global__ void __launch_bounds__(PAIR_THREADS, 2)
    nearest_prototype(const T* x, const T* points, long long* nearest, long long n, int many, int d) {
  typedef real_of<T> R;
  typedef pair_tile<R, M> Tile;
  DYN_SHARED(Tile, tile);
  const int SIDE = 16 * M;
  for (long long first = (long long)blockIdx.x * SIDE; first < n; first += (long long)gridDim.x * SIDE) {
    R least[M];
    int place[M];
#pragma unroll
    for (int i = 0; i < M; ++i) {
      least[i] = R(0);
      place[i] = -1;
    }
    for (int from = 0; from < many; from += SIDE) {
      R distance[M][M];
      pairs<true, T, M>(*tile, x, first, n, points, from, many, d, distance);
#pragma unroll
      for (int i = 0; i < M; ++i) {
#pragma unroll
        for (int j = 0; j < M; ++j) {
          const int point = from + pair_place<M>(threadIdx.x & 15, j);
          if (point < many && (place[i] < 0 || before(distance[i][j], least[i]))) {
            least[i] = distance[i][j];
            place[i] = point;
          }
        }
      }
    }
#pragma unroll
    for (int i = 0; i < M; ++i) {
#pragma unroll
      for (int by = 8; by; by >>= 1) {
        const R other = __shfl_xor_sync(EVERY_LANE, least[i], by);
        const int there = __shfl_xor_sync(EVERY_LANE, place[i], by);
        const bool equal = !before(other, least[i]) && !before(least[i], other);
        const bool better = place[i] < 0 || before(other, least[i]) || (equal && there < place[i]);
        if (there >= 0 && better) {
          least[i] = other;
          place[i] = there;
        }
      }
      const long long row = first + pair_place<M>(threadIdx.x >> 4, i);
      if ((threadIdx.x & 15) == 0 && row < n) nearest[row] = place[i];
    }
  }
}

#define TREE_THREADS 256

// x (n, d), points (v + v^2 + ... + v^depth, d) breadth-first -> leaf (n,). LANES lanes share a row.
template <typename T, int LANES>
__global__ void __launch_bounds__(TREE_THREADS)
    nearest_in_tree(const T* x, const T* points, long long* leaf, long long n, int d, int arity, int depth) {
  typedef real_of<T> R;
  const int ROWS = TREE_THREADS / LANES, lane = threadIdx.x % LANES;
  const bool dense = by_fours(x, d) && by_fours(points, d);
  for (long long base = (long long)blockIdx.x * ROWS; base < n; base += (long long)gridDim.x * ROWS) {
    const long long row = base + threadIdx.x / LANES;
    const T* mine = x + offset_t(row < n ? row : n - 1) * d;  // all lanes go on: they sum up together
    offset_t address = 0, first = 0, nodes = 1;
    for (int level = 0; level < depth; ++level) {
      const T* children = points + (first + address * arity) * d;
      R least = R(0);
      int nearest = 0;
#pragma unroll 2
      for (int child = 0; child < arity; ++child) {
        R distance = R(0);
        for (int at = 4 * lane; at < d; at += 4 * LANES) {
          const four<R> a = load4(mine, at, d, dense), b = load4(children + offset_t(child) * d, at, d, dense);
#pragma unroll
          for (int i = 0; i < 4; ++i) distance += (a.value[i] - b.value[i]) * (a.value[i] - b.value[i]);
        }
        distance = sum_of_lanes<LANES>(distance);
        if (child == 0 || before(distance, least)) {
          least = distance;
          nearest = child;
        }
      }
      nodes *= arity;
      first += nodes;
      address = address * arity + nearest;
    }
    if (lane == 0 && row < n) leaf[row] = (long long)address;
  }
}

// As it is defined, one thread per input and nothing done twice. It is slow, and there to be counted: with -DCOUNTED,
// what it does must be what the closed formula of its price charges.

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
