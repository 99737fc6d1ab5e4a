// Which rows a tile has: those of one expert, found in the lists that dispatch.cu makes; or, where every expert
// has the same number of rows one after the other (merged experts), by arithmetic.
#pragma once
#include "common.cuh"

struct rows_of_experts {
  const int* order;  // pairs, expert after expert; null: rows lie in their order
  const int* first;  // where experts begin in it
  const int* tile;   // the first tile of every expert, and how many there are
  int experts;
  int each;   // rows of every expert, where order is null
  int chosen;  // experts of an input: pair / chosen is its row

  __device__ int tiles_each(int height) const { return (each + height - 1) / height; }
  __device__ int tiles(int height) const { return order ? tile[experts] : experts * tiles_each(height); }

  // The expert of a tile: the last one that begins at it or before, and so not one without rows. The whole warp
  // must ask for one tile; it looks at 32 experts at once.
  __device__ int expert_of(int which, int height) const {
    if (!order) return which / tiles_each(height);
    int low = 0;
    for (int many = experts; many > 1;) {
      const int step = (many + 31) / 32, at = low + int(LANE) * step;
      const unsigned begun = __ballot_sync(EVERY_LANE, int(LANE) * step < many && tile[at] <= which);
      const int before = (__popc(begun) - 1) * step;
      low += before;
      many = many - before < step ? many - before : step;
    }
    return low;
  }
  // The tile behind an expert's last one.
  __device__ int stop(int expert, int height) const {
    return order ? tile[expert + 1] : (expert + 1) * tiles_each(height);
  }
  __device__ long long begin(int expert, int which, int height) const {
    if (!order) return (long long)expert * each + (long long)(which - expert * tiles_each(height)) * height;
    return first[expert] + (long long)(which - tile[expert]) * height;
  }
  __device__ long long end(int expert) const {
    return order ? (long long)first[expert + 1] : (long long)(expert + 1) * each;
  }
  __device__ int pair_at(long long place) const { return order ? order[place] : int(place); }
};

// Fill the rows of pairs that have no expert with NaN. All threads of the grid take part.
template <typename T>
__device__ __forceinline__ void mark_lost(const rows_of_experts& rows, T* out, long long pairs, int width) {
  if (!rows.order) return;
  const long long from = rows.first[rows.experts], step = (long long)gridDim.x * blockDim.x;
  const long long many = (pairs - from) * width;
  for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < many; i += step) {
    store(out, offset_t(rows.order[from + i / width]) * width + i % width, not_a_number<real_of<T>>());
  }
}
