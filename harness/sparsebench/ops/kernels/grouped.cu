// One layer of every expert for rows of any width and dtype, in tiles of 64 rows and 64 outputs; and products of
// matrices in the same tiles, which merge experts.
#include "tiles.cuh"

#define TILE 64
#define SLICE 16
#define TILE_THREADS 256  // of 4 x 4 outputs each

// Add to 4 x 4 outputs a slice of both factors, which lie column after column.
template <typename R>
__device__ __forceinline__ void multiply_slices(const R (&a)[SLICE][TILE + 4], const R (&b)[SLICE][TILE + 4],
                                                R (&acc)[4][4], int top, int left) {
#pragma unroll
  for (int k = 0; k < SLICE; ++k) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
#pragma unroll
      for (int j = 0; j < 4; ++j) acc[i][j] += a[k][top + i] * b[k][left + j];
    }
  }
}

// x -> out. gathered: x has the inputs' rows, and pair / chosen is a pair's; else the rows of x are in the order of
// experts. scattered: out has the pairs' rows; else they are in the order of experts.
template <typename T>
__global__ void __launch_bounds__(TILE_THREADS)
    layer_tiles(const T* x, const T* weights, const T* bias, T* out, const int* order, const int* first,
                const int* tile, int experts, int each, int chosen, long long pairs, int d, int h, int gathered,
                int scattered, int activation, real_of<T> slope) {
  typedef real_of<T> R;
  __shared__ R a[SLICE][TILE + 4];
  __shared__ R b[SLICE][TILE + 4];
  const rows_of_experts rows = {order, first, tile, experts, each, chosen};
  const int across = (h + TILE - 1) / TILE, top = threadIdx.x / 16 * 4, left = threadIdx.x % 16 * 4;
  const long long many = (long long)rows.tiles(TILE) * across;
  for (long long unit = blockIdx.x; unit < many; unit += gridDim.x) {
    const int which = int(unit / across), column = int(unit % across) * TILE, e = rows.expert_of(which, TILE);
    const long long begin = rows.begin(e, which, TILE), end = rows.end(e);
    R acc[4][4] = {};
    for (int k = 0; k < d; k += SLICE) {
      for (int i = threadIdx.x; i < TILE * SLICE; i += TILE_THREADS) {
        const int r = i / SLICE, c = i % SLICE;
        R value = R(0), weight = R(0);
        if (begin + r < end && k + c < d) {
          const long long row = gathered ? rows.pair_at(begin + r) / chosen : begin + r;
          value = load(x, offset_t(row) * d + k + c);
        }
        if (column + r < h && k + c < d) weight = load(weights, (offset_t(e) * h + column + r) * d + k + c);
        a[c][r] = value;
        b[c][r] = weight;
      }
      __syncthreads();
      multiply_slices(a, b, acc, top, left);
      __syncthreads();
    }
    for (int i = 0; i < 4; ++i) {
      const long long place = begin + top + i;
      if (place >= end) break;
      const offset_t to = offset_t(scattered ? rows.pair_at(place) : place) * h;
      for (int j = 0; j < 4; ++j) {
        const int c = column + left + j;
        if (c >= h) break;
        const R sum = bias ? acc[i][j] + load(bias, offset_t(e) * h + c) : acc[i][j];
        store(out, to + c, activate(activation, sum, slope));
      }
    }
  }
  if (scattered) mark_lost(rows, out, pairs, h);
}

// gates (n, experts), table (experts, size) -> out (n, size): every row's average of the records of a table.
template <typename T>
__global__ void __launch_bounds__(TILE_THREADS)
    merge_tables(const T* gates, const T* table, T* out, int n, int experts, long long size) {
  typedef real_of<T> R;
  __shared__ R a[SLICE][TILE + 4];
  __shared__ R b[SLICE][TILE + 4];
  const long long across = (size + TILE - 1) / TILE;
  const long long many = across * ((n + TILE - 1) / TILE);
  const int top = threadIdx.x / 16 * 4, left = threadIdx.x % 16 * 4;
  for (long long unit = blockIdx.x; unit < many; unit += gridDim.x) {
    const long long row = unit / across * TILE, column = unit % across * TILE;
    R acc[4][4] = {};
    for (int k = 0; k < experts; k += SLICE) {
      for (int i = threadIdx.x; i < TILE * SLICE; i += TILE_THREADS) {
        const int r = i / SLICE, c = i % SLICE;
        a[c][r] = row + r < n && k + c < experts ? load(gates, offset_t(row + r) * experts + k + c) : R(0);
        const int q = i / TILE, p = i % TILE;
        b[q][p] = k + q < experts && column + p < size ? load(table, offset_t(k + q) * size + column + p) : R(0);
      }
      __syncthreads();
      multiply_slices(a, b, acc, top, left);
      __syncthreads();
    }
    for (int i = 0; i < 4 && row + top + i < n; ++i) {
      for (int j = 0; j < 4 && column + left + j < size; ++j) {
        store(out, offset_t(row + top + i) * size + column + left + j, acc[i][j]);
      }
    }
  }
}
