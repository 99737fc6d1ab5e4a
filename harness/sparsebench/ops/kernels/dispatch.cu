// Counting sort of pairs (an input and one of its experts) by expert, without the host: count, scan, place.
// Pairs whose expert is not one of [0, experts) go behind all others, into a bucket of their own.
#include "common.cuh"

#define DISPATCH_THREADS 256
#define DISPATCH_PAIRS 4096  // of a block at once
#define SCAN_THREADS 1024

template <typename I>
__device__ __forceinline__ int bucket_of(I expert, int experts) {
  return expert >= I(0) && (long long)expert < (long long)experts ? int(expert) : experts;
}

// index (m,) -> slot (m,): a pair's place within its bucket; count (experts + 1,) must be zeros. Which of two
// pairs of a bucket comes first is left to chance: rows are computed one by one, so nothing depends on it.
// kept: whether the block counts in shared memory, of experts + 1 numbers, before it adds to those of all.
template <typename I>
__global__ void __launch_bounds__(DISPATCH_THREADS)
    count_experts(const I* index, int* slot, int* count, long long m, int experts, int kept) {
  const int EACH = DISPATCH_PAIRS / DISPATCH_THREADS;
  DYN_SHARED(int, own);
  const long long step = (long long)gridDim.x * DISPATCH_PAIRS;
  for (long long base = (long long)blockIdx.x * DISPATCH_PAIRS; base < m; base += step) {
    int bucket[EACH], place[EACH];
#pragma unroll
    for (int u = 0; u < EACH; ++u) {
      const long long p = base + u * DISPATCH_THREADS + threadIdx.x;
      bucket[u] = p < m ? bucket_of(index[p], experts) : -1;
    }
    if (kept) {
      for (int e = threadIdx.x; e <= experts; e += DISPATCH_THREADS) own[e] = 0;
      __syncthreads();
    }
    int* to = kept ? own : count;
#pragma unroll
    for (int u = 0; u < EACH; ++u) place[u] = bucket[u] < 0 ? 0 : atomicAdd(to + bucket[u], 1);
    if (kept) {
      __syncthreads();
      for (int e = threadIdx.x; e <= experts; e += DISPATCH_THREADS) {
        const int here = own[e];
        own[e] = here ? atomicAdd(count + e, here) : 0;
      }
      __syncthreads();
    }
#pragma unroll
    for (int u = 0; u < EACH; ++u) {
      const long long p = base + u * DISPATCH_THREADS + threadIdx.x;
      if (bucket[u] >= 0) slot[p] = kept ? place[u] + own[bucket[u]] : place[u];
    }
    __syncthreads();
  }
}

// The sum over this thread and those before it, and in `all` over the whole block. All threads must call.
__device__ __forceinline__ unsigned long long sum_to_here(unsigned long long value, unsigned long long& all) {
  __shared__ unsigned long long warps[SCAN_THREADS / 32];
  for (int step = 1; step < 32; step <<= 1) {
    const unsigned long long before = __shfl_up_sync(EVERY_LANE, value, step);
    if (int(LANE) >= step) value += before;
  }
  if (LANE == 31) warps[threadIdx.x / 32] = value;
  __syncthreads();
  unsigned long long mine = warps[LANE];
  for (int step = 1; step < 32; step <<= 1) {
    const unsigned long long before = __shfl_up_sync(EVERY_LANE, mine, step);
    if (int(LANE) >= step) mine += before;
  }
  const unsigned long long until = __shfl_sync(EVERY_LANE, mine, threadIdx.x / 32);  // this warp included
  all = __shfl_sync(EVERY_LANE, mine, 31);
  value += until - warps[threadIdx.x / 32];
  __syncthreads();
  return value;
}

// count (experts + 1,) -> first (experts + 2,): where buckets begin; tile (experts + 1,): the first tile of
// every expert, of so many rows each, and how many there are. One block. Both are summed up in one number.
static __global__ void __launch_bounds__(SCAN_THREADS)
    scan_experts(const int* count, int* first, int* tile, int experts, int rows) {
  unsigned long long before = 0, all;
  for (int base = 0; base <= experts; base += SCAN_THREADS) {
    const int e = base + threadIdx.x;
    const unsigned pairs = e <= experts ? count[e] : 0, tiles = e < experts ? (pairs + rows - 1) / rows : 0;
    const unsigned long long sum = before + sum_to_here((unsigned long long)pairs << 32 | tiles, all);
    if (e <= experts) first[e + 1] = int(sum >> 32);
    if (e < experts) tile[e + 1] = int(sum & 0xffffffffu);
    before += all;
  }
  if (threadIdx.x == 0) first[0] = tile[0] = 0;
}

// index, slot (m,), first -> order (m,): the pairs, bucket after bucket.
template <typename I>
__global__ void __launch_bounds__(DISPATCH_THREADS)
    place_pairs(const I* index, const int* slot, const int* first, int* order, long long m, int experts) {
  const int MANY = DISPATCH_PAIRS / DISPATCH_THREADS;
  for (long long base = (long long)blockIdx.x * DISPATCH_PAIRS; base < m; base += (long long)gridDim.x * DISPATCH_PAIRS) {
#pragma unroll 8
    for (int i = 0; i < MANY; ++i) {  // several at once: each waits for two loads, one after the other
      const long long p = base + i * DISPATCH_THREADS + threadIdx.x;
      if (p < m) order[first[bucket_of(index[p], experts)] + slot[p]] = int(p);
    }
  }
}
