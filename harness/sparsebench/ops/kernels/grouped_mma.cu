// Perceptrons of experts on tensor cores, all layers of a tile of rows in shared memory: rows are gathered, go
// through one to three layers, and are scattered. An expert's weights stay while its tiles last.
//
// A warp has 32 rows of a tile to itself, and waits for others only where weights change. Its rows of the next tile
// are on their way while it computes. Widths of layers are at most W; shared memory is padded by zeros, never the
// arrays. Numbers lie there in rows of W + PAD, so that the rows of a matrix meet in no bank.
#include "mma.cuh"
#include "tiles.cuh"

#define MMA_ROWS 128
#define MMA_THREADS 128

// A tile as a lane knows it: its expert, and the pair of the warp's row with the lane's number; -1: there is none.
struct tile_of_warp {
  int expert;
  int pair;
};

// Copy the warp's rows of x, one for every lane, with zeros beside them up to `depth`.
template <typename T, int W, int S, bool VECTORS>
__device__ __forceinline__ void bring_rows(T* to, const T* x, int row, int d, int depth) {
  const int VECTOR = vector_of<T>::length, LANES = W / VECTOR;
#pragma unroll VECTORS ? 4 : 1
  for (int i = LANE; i < 32 * LANES; i += 32) {
    const int r = i / LANES, c = i % LANES * VECTOR, its = __shfl_sync(EVERY_LANE, row, r);
    const bool there = its >= 0 && c < d;
    if (c < depth) {
      copy_numbers<VECTORS>(to, r * S + c, x + offset_t(there ? its : 0) * d + c, there ? d - c : 0);
    }
  }
}

// Copy the warp's rows to those of their pairs.
template <typename T, int W, int S>
__device__ __forceinline__ void send_rows(const T* from, T* out, int pair, int width, bool vectors) {
  const int VECTOR = vector_of<T>::length, LANES = W / VECTOR;
  if (vectors) {
#pragma unroll 4
    for (int i = LANE; i < 32 * LANES; i += 32) {
      const int r = i / LANES, c = i % LANES * VECTOR, its = __shfl_sync(EVERY_LANE, pair, r);
      if (its < 0 || c >= width) continue;
      *reinterpret_cast<vector_of<T>*>(out + offset_t(its) * width + c) =
          *reinterpret_cast<const vector_of<T>*>(from + r * S + c);
    }
    return;
  }
  for (int r = 0; r < 32; ++r) {
    const int its = __shfl_sync(EVERY_LANE, pair, r);
    if (its < 0) continue;
    for (int c = LANE; c < width; c += 32) out[offset_t(its) * width + c] = from[r * S + c];
  }
}

// Copy the weights (h, d) of an expert, with zeros beside them; all threads take part.
template <typename T, int W, int S, bool VECTORS>
__device__ __forceinline__ void bring_weights(T* to, const T* from, int h, int d) {
  const int VECTOR = vector_of<T>::length, COLUMNS = W / VECTOR, STEP = in_steps<T>::STEP;
  const int rows = (h + 31) / 32 * 32, depth = (d + STEP - 1) / STEP * STEP;
#pragma unroll VECTORS ? 4 : 1
  for (int i = threadIdx.x; i < rows * COLUMNS; i += MMA_THREADS) {
    const int r = i / COLUMNS, c = i % COLUMNS * VECTOR;
    const bool there = r < h && c < d;
    if (c < depth) copy_numbers<VECTORS>(to, r * S + c, from + r * d + c, there ? d - c : 0);
  }
}
template <typename T, int W, int S>
__device__ __forceinline__ void bring_layer(T* to, float* biases, const T* weights, const T* bias, int e, int h,
                                            int d) {
  const T* from = weights + offset_t(e) * h * d;
  if (d % vector_of<T>::length == 0 && aligned16(weights)) {
    bring_weights<T, W, S, true>(to, from, h, d);
  } else {
    bring_weights<T, W, S, false>(to, from, h, d);
  }
  for (int c = threadIdx.x; c < (h + 31) / 32 * 32; c += MMA_THREADS) {
    biases[c] = bias && c < h ? load(bias, offset_t(e) * h + c) : 0.f;
  }
}

// One layer of the warp's rows, in their place.
template <typename T, int W, int S>
__device__ __forceinline__ void apply_layer(T* rows, const T* weights, const float* biases, int h, int d,
                                            int activation, float slope) {
  const int NT = W / 8, g = LANE >> 2, t = LANE & 3, STEP = in_steps<T>::STEP;
  float acc[2][NT][4];
#pragma unroll
  for (int n = 0; n < NT; ++n) {
    if (n * 8 >= (h + 31) / 32 * 32) break;
#pragma unroll
    for (int i = 0; i < 4; ++i) acc[0][n][i] = acc[1][n][i] = biases[n * 8 + t * 2 + (i & 1)];
  }
  multiply_rows<T, S>(rows, weights, (d + STEP - 1) / STEP * STEP, h, acc);
  __syncwarp();  // all lanes have read the rows that are written now
#pragma unroll
  for (int n = 0; n < NT; ++n) {
    if (n * 8 >= (h + 31) / 32 * 32) break;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      float left = acc[i >> 1][n][(i & 1) * 2], right = acc[i >> 1][n][(i & 1) * 2 + 1];
      if (activation == RELU) {
        left = relu_at_once(left);
        right = relu_at_once(right);
      }
      store_two(rows + ((i >> 1) * 16 + g + (i & 1) * 8) * S + n * 8 + t * 2, left, right);
    }
  }
  __syncwarp();
  if (activation == IDENTITY || activation == RELU) return;
#pragma unroll 1
  for (int r = 0; r < 32; ++r) {  // in a loop of its own, so that the code is short
#pragma unroll 1
    for (int c = LANE; c < h; c += 32) store(rows, r * S + c, activate(activation, load(rows, r * S + c), slope));
  }
  __syncwarp();
}

// buffers: 2 where the next rows have a place of their own, else 1.
template <typename T, int W>
__global__ void __launch_bounds__(MMA_THREADS, W == 32 ? 4 : W == 64 ? 3 : 2)
    mlp_tiles(const T* x, const T* w0, const T* b0, const T* w1, const T* b1, const T* w2, const T* b2, T* out,
              const int* order, const int* first, const int* tile, int experts, int each, int chosen,
              long long pairs, int d0, int d1, int d2, int d3, int layers, int buffers, int activation, float slope) {
  const int S = W + vector_of<T>::length, STEP = in_steps<T>::STEP;
  DYN_SHARED(T, memory);
  T* weights = memory;                   // W rows of every layer
  T* tile_x = weights + layers * W * S;  // MMA_ROWS of every buffer
  float* biases = reinterpret_cast<float*>(tile_x + buffers * MMA_ROWS * S);  // W of every layer
  const rows_of_experts rows = {order, first, tile, experts, each, chosen};
  const int own = threadIdx.x / 32 * 32, width = layers == 1 ? d1 : layers == 2 ? d2 : d3;
  const int depth = (d0 + STEP - 1) / STEP * STEP;
  const bool vectors = d0 % vector_of<T>::length == 0 && aligned16(x);
  const bool sent_by_vectors = width % vector_of<T>::length == 0 && aligned16(out);
  // Neighbouring tiles go to one block, so that weights are loaded once for many of them.
  const long long many = rows.tiles(MMA_ROWS);
  const int begin = int(many * blockIdx.x / gridDim.x), end = int(many * (blockIdx.x + 1) / gridDim.x);
  int expert = -1, stop = begin;  // of the tile that was looked at last

  auto look = [&](int which) {
    if (which >= end) return tile_of_warp{-1, -1};
    if (which >= stop) {
      expert = rows.expert_of(which, MMA_ROWS);
      stop = rows.stop(expert, MMA_ROWS);
    }
    const long long at = rows.begin(expert, which, MMA_ROWS) + own + int(LANE);
    return tile_of_warp{expert, at < rows.end(expert) ? rows.pair_at(at) : -1};
  };
  auto bring = [&](const tile_of_warp& which, int buffer) {
    const int row = which.pair < 0 ? -1 : chosen == 1 ? which.pair : which.pair / chosen;
    T* to = tile_x + (buffer * MMA_ROWS + own) * S;
    if (__any_sync(EVERY_LANE, row >= 0)) {
      if (vectors) {
        bring_rows<T, W, S, true>(to, x, row, d0, depth);
      } else {
        bring_rows<T, W, S, false>(to, x, row, d0, depth);
      }
    }
    end_group();
  };

  tile_of_warp now = look(begin), next = look(begin + 1);
  int held = -1, buffer = 0;
  bring(now, 0);
  for (int which = begin; which < end; ++which) {
    const tile_of_warp later = look(which + 2);  // what it reads is on its way meanwhile
    if (buffers == 2) bring(next, buffer ^ 1);
    if (now.expert != held) {
      held = now.expert;
      __syncthreads();
#pragma unroll 1
      for (int l = 0; l < layers; ++l) {
        const T *w = l == 0 ? w0 : l == 1 ? w1 : w2, *b = l == 0 ? b0 : l == 1 ? b1 : b2;
        const int h = l == 0 ? d1 : l == 1 ? d2 : d3, d = l == 0 ? d0 : l == 1 ? d1 : d2;
        bring_layer<T, W, S>(weights + l * W * S, biases + l * W, w, b, held, h, d);
      }
      end_group();
      wait_for_groups<0>();
      __syncthreads();
    } else if (buffers == 2) {
      wait_for_groups<1>();
    } else {
      wait_for_groups<0>();
    }
    __syncwarp();
    if (__any_sync(EVERY_LANE, now.pair >= 0)) {
      T* mine = tile_x + (buffer * MMA_ROWS + own) * S;
#pragma unroll 1
      for (int l = 0; l < layers; ++l) {
        const int h = l == 0 ? d1 : l == 1 ? d2 : d3, d = l == 0 ? d0 : l == 1 ? d1 : d2;
        const int after = l + 1 < layers ? activation : IDENTITY;
        apply_layer<T, W, S>(mine, weights + l * W * S, biases + l * W, h, d, after, slope);
      }
      send_rows<T, W, S>(mine, out, now.pair, width, sent_by_vectors);
      __syncwarp();
    }
    if (buffers == 2) {
      buffer ^= 1;
    } else {
      bring(next, 0);
    }
    now = next;
    next = later;
  }
  mark_lost(rows, out, pairs, width);
}
