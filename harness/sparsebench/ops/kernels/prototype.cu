// The nearest of points: of all of them, or of the children of a node, level by level.
#include "pairs.cuh"

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
