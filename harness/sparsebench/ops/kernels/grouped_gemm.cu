// One layer of every expert on tensor cores, for weights of any size: tiles of 128 rows and N outputs, over slices of
// 64 bytes of the features, some of which are on their way while one is multiplied. Rows are gathered and scattered,
// the bias is added and the activation applied on the way.
//
// merged_tiles sums over all experts instead, weighted by the gates of each row: experts merged for every example,
// where an example has few positions. Products are weighted, which is the same, and no merged weights are stored.
#include "mma.cuh"
#include "tiles.cuh"

#define GEMM_ROWS 128
#define GEMM_THREADS 128
#define STAGES 4

// N = 128: 2 x 2 warps of 64 x 64; N = 64: 4 x 1 warps of 32 x 64.
template <typename T, int N>
struct gemm_tile {
  static constexpr int MT = N == 128 ? 4 : 2, NT = 8;
  static constexpr int VECTOR = 16 / sizeof(T), SLICE = 4 * VECTOR, STRIDE = 5 * VECTOR;  // numbers
  static constexpr int STAGE = (GEMM_ROWS + N) * STRIDE;
  static constexpr int X = GEMM_ROWS / 32, W = N / 32;  // rows of either that a thread copies a part of

  __device__ static __forceinline__ int top() { return threadIdx.x / 32 / (N / 64) * 16 * MT; }
  __device__ static __forceinline__ int left() { return threadIdx.x / 32 % (N / 64) * 64; }

  // What a thread copies of every slice: 16 bytes of rows of x and of outputs.
  struct part {
    const T* x[X];      // where its rows begin, or anywhere for those that are not there
    const T* weights;   // where its first output begins
    unsigned there;     // a bit for every row of x, then for every output
  };
  __device__ static __forceinline__ void choose_weights(part& of, const T* weights, int column, int h, int d) {
    const int r = threadIdx.x / 4, c = threadIdx.x % 4 * VECTOR;
    of.weights = weights + offset_t(column + r) * d + c;
#pragma unroll
    for (int u = 0; u < W; ++u) of.there |= unsigned(column + u * 32 + r < h) << (X + u);
  }
  __device__ static __forceinline__ void choose_row(part& of, int u, const T* x, long long row, int d) {
    of.x[u] = x + offset_t(row < 0 ? 0 : row) * d + threadIdx.x % 4 * VECTOR;
    of.there |= unsigned(row >= 0) << u;
  }
  template <bool VECTORS>
  __device__ static __forceinline__ void bring_slice(T* stage, const part& of, int d, int k) {
    const int r = threadIdx.x / 4, c = threadIdx.x % 4 * VECTOR, many = d - k - c, at = r * STRIDE + c;
#pragma unroll
    for (int u = 0; u < X; ++u) {
      copy_numbers<VECTORS>(stage, at + u * 32 * STRIDE, of.x[u] + k, of.there >> u & 1 ? many : 0);
    }
#pragma unroll
    for (int u = 0; u < W; ++u) {
      copy_numbers<VECTORS>(stage, at + (GEMM_ROWS + u * 32) * STRIDE, of.weights + offset_t(u) * 32 * d + k,
                            of.there >> (X + u) & 1 ? many : 0);
    }
  }
  __device__ static __forceinline__ void bring(T* stage, const part& of, int d, int k, bool vectors) {
    if (vectors) {
      bring_slice<true>(stage, of, d, k);
    } else {
      bring_slice<false>(stage, of, d, k);
    }
  }
  __device__ static __forceinline__ void multiply(const T* stage, float (&acc)[MT][NT][4]) {
    multiply_rows<T, STRIDE>(stage + top() * STRIDE, stage + (GEMM_ROWS + left()) * STRIDE, SLICE, 64, acc);
  }
};

// Start sums from the bias of the outputs, or from 0.
template <typename T, int MT, int NT>
__device__ __forceinline__ void start_sums(float (&acc)[MT][NT][4], const T* bias, int column, int h) {
#pragma unroll
  for (int n = 0; n < NT; ++n) {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const int c = column + n * 8 + (LANE & 3) * 2 + i;
      const float from = bias && c < h ? load(bias, c) : 0.f;
#pragma unroll
      for (int m = 0; m < MT; ++m) acc[m][n][i] = acc[m][n][i + 2] = from;
    }
  }
}

// Put the sums of the block's tile where slices were, and from there to rows of out; all threads must call. row_at(r):
// where row r begins, or null.
template <typename T, int N, typename F>
__device__ __forceinline__ void store_tile(const float (&acc)[gemm_tile<T, N>::MT][8][4], T* memory, int column, int h,
                                           bool vectors, int activation, float slope, F row_at) {
  typedef gemm_tile<T, N> Tile;
  const int WIDTH = N + Tile::VECTOR, VECTORS = N / Tile::VECTOR;
  wait_for_groups<0>();
  __syncthreads();
#pragma unroll
  for (int m = 0; m < Tile::MT; ++m) {
#pragma unroll
    for (int n = 0; n < Tile::NT; ++n) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const int r = Tile::top() + m * 16 + half * 8 + (LANE >> 2), c = Tile::left() + n * 8 + (LANE & 3) * 2;
        store_two(memory + r * WIDTH + c, acc[m][n][half * 2], acc[m][n][half * 2 + 1]);
      }
    }
  }
  __syncthreads();
#pragma unroll 1
  for (int i = threadIdx.x; i < GEMM_ROWS * VECTORS; i += GEMM_THREADS) {
    const int r = i / VECTORS, c = i % VECTORS * Tile::VECTOR;
    T* to = row_at(r);
    if (!to || column + c >= h) continue;
    vector_of<T> taken = *reinterpret_cast<const vector_of<T>*>(memory + r * WIDTH + c);
    if (activation == RELU) {
#pragma unroll
      for (int j = 0; j < Tile::VECTOR; ++j) taken.value[j] = stored<T>::from(relu(to_real<T>(taken.value[j])));
    } else if (activation != IDENTITY) {
#pragma unroll 1
      for (int j = 0; j < Tile::VECTOR; ++j) {
        store(memory, r * WIDTH + c + j, activate(activation, load(memory, r * WIDTH + c + j), slope));
      }
      taken = *reinterpret_cast<const vector_of<T>*>(memory + r * WIDTH + c);
    }
    if (vectors) {
      *reinterpret_cast<vector_of<T>*>(to + column + c) = taken;
    } else {
#pragma unroll
      for (int j = 0; j < Tile::VECTOR; ++j) {
        if (column + c + j < h) to[column + c + j] = taken.value[j];
      }
    }
  }
  __syncthreads();
}

// x -> out. gathered: x has the inputs' rows, and pair / chosen is a pair's; else the rows of x are in the order of
// experts. scattered: out has the pairs' rows; else they are in the order of experts.
template <typename T, int N>
__global__ void __launch_bounds__(GEMM_THREADS, 2)
    gemm_tiles(const T* x, const T* weights, const T* bias, T* out, const int* order, const int* first, const int* tile,
               int experts, int each, int chosen, long long pairs, int d, int h, int gathered, int scattered,
               int activation, float slope) {
  typedef gemm_tile<T, N> Tile;
  DYN_SHARED(T, stages);
  const rows_of_experts rows = {order, first, tile, experts, each, chosen};
  const int across = (h + N - 1) / N, slices = (d + Tile::SLICE - 1) / Tile::SLICE;
  const bool vectors = d % Tile::VECTOR == 0 && aligned16(x) && aligned16(weights);
  const bool sent_by_vectors = h % Tile::VECTOR == 0 && aligned16(out);
  const long long many = (long long)rows.tiles(GEMM_ROWS) * across;
  for (long long unit = blockIdx.x; unit < many; unit += gridDim.x) {
    const int which = int(unit / across), column = int(unit % across) * N, e = rows.expert_of(which, GEMM_ROWS);
    const long long begin = rows.begin(e, which, GEMM_ROWS), end = rows.end(e);
    typename Tile::part part = {};
#pragma unroll
    for (int u = 0; u < Tile::X; ++u) {
      const long long at = begin + u * 32 + threadIdx.x / 4;
      Tile::choose_row(part, u, x, at >= end ? -1 : gathered ? rows.pair_at(at) / chosen : at, d);
    }
    Tile::choose_weights(part, weights + offset_t(e) * h * d, column, h, d);
    float acc[Tile::MT][Tile::NT][4];
    start_sums(acc, bias ? bias + offset_t(e) * h : bias, column + Tile::left(), h);
#pragma unroll 1
    for (int s = 0; s < STAGES - 1; ++s) {
      if (s < slices) Tile::bring(stages + s * Tile::STAGE, part, d, s * Tile::SLICE, vectors);
      end_group();
    }
    for (int s = 0; s < slices; ++s) {
      wait_for_groups<STAGES - 2>();
      __syncthreads();  // slice s is there, and all have left the stage that is written next
      const int ahead = s + STAGES - 1;
      if (ahead < slices) {
        Tile::bring(stages + ahead % STAGES * Tile::STAGE, part, d, ahead * Tile::SLICE, vectors);
      }
      end_group();
      Tile::multiply(stages + s % STAGES * Tile::STAGE, acc);
    }
    store_tile<T, N>(acc, stages, column, h, sent_by_vectors, activation, slope, [&](int r) {
      const long long place = begin + r;
      return place < end ? out + offset_t(scattered ? rows.pair_at(place) : place) * h : (T*)nullptr;
    });
  }
  if (scattered) mark_lost(rows, out, pairs, h);
}

// x (many, d), gates (many / positions, experts), weights (experts, h, d), bias (experts, h) or null -> out (many, h).
template <typename T>
__global__ void __launch_bounds__(GEMM_THREADS, 2)
    merged_tiles(const T* x, const T* gates, const T* weights, const T* bias, T* out, long long rows, int positions,
                 int experts, int d, int h, int activation, float slope) {
  typedef gemm_tile<T, 64> Tile;
  DYN_SHARED(T, stages);
  const int across = (h + 63) / 64, slices = d ? (d + Tile::SLICE - 1) / Tile::SLICE : 1;
  const bool vectors = d % Tile::VECTOR == 0 && aligned16(x) && aligned16(weights);
  const bool sent_by_vectors = h % Tile::VECTOR == 0 && aligned16(out);
  const long long many = (rows + GEMM_ROWS - 1) / GEMM_ROWS * across, steps = (long long)slices * experts;
  for (long long unit = blockIdx.x; unit < many; unit += gridDim.x) {
    const long long begin = unit / across * GEMM_ROWS;
    const int column = int(unit % across) * 64;
    typename Tile::part part = {};
#pragma unroll
    for (int u = 0; u < Tile::X; ++u) {
      const long long at = begin + u * 32 + threadIdx.x / 4;
      Tile::choose_row(part, u, x, at < rows ? at : -1, d);
    }
    Tile::choose_weights(part, weights, column, h, d);
    float acc[Tile::MT][Tile::NT][4], total[Tile::MT][Tile::NT][4] = {};
    int ahead = 0, slice = 0, e = 0;  // the slice that is copied; the one that is multiplied, and its expert
    auto bring = [&](long long step) {
      if (step < steps) {
        Tile::bring(stages + step % STAGES * Tile::STAGE, part, d, ahead * Tile::SLICE, vectors);
        if (++ahead == slices) {
          ahead = 0;
          part.weights += offset_t(h) * d;  // of the next expert
        }
      }
      end_group();
    };
#pragma unroll 1
    for (int s = 0; s < STAGES - 1; ++s) bring(s);
    for (long long s = 0; s < steps; ++s) {
      wait_for_groups<STAGES - 2>();
      __syncthreads();
      bring(s + STAGES - 1);
      if (slice == 0) start_sums(acc, bias ? bias + offset_t(e) * h : bias, column, h);
      Tile::multiply(stages + s % STAGES * Tile::STAGE, acc);
      if (++slice < slices) continue;
#pragma unroll
      for (int m = 0; m < Tile::MT; ++m) {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          const long long place = begin + Tile::top() + m * 16 + half * 8 + (LANE >> 2);
          const float gate = place < rows ? load(gates, offset_t(place / positions) * experts + e) : 0.f;
#pragma unroll
          for (int n = 0; n < Tile::NT; ++n) {
            total[m][n][half * 2] += gate * acc[m][n][half * 2];
            total[m][n][half * 2 + 1] += gate * acc[m][n][half * 2 + 1];
          }
        }
      }
      slice = 0;
      ++e;
    }
    store_tile<T, 64>(total, stages, column, h, sent_by_vectors, activation, slope, [&](int r) {
      return begin + r < rows ? out + offset_t(begin + r) * h : (T*)nullptr;
    });
  }
}
