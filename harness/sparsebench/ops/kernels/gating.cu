// The k largest of a row's logits, and the softmax over these.
#include "pairs.cuh"
#include "ranking.cuh"
#include "scalar.cuh"

#define GATE_M 4
#define GATE_ROWS (16 * GATE_M)
#define GATE_STRIDE (GATE_ROWS + 1)

// x (n, d), weights (many, d), bias (many,) or null -> experts and gates (n, k), k at most 32.
// Dynamic shared memory: a pair_tile and GATE_ROWS x GATE_STRIDE logits.
template <typename T>
__global__ void __launch_bounds__(PAIR_THREADS)
    top_k_gate(const T* x, const T* weights, const T* bias, long long* experts, T* gates, long long n, int many, int d,
               int k) {
  typedef real_of<T> R;
  const int ROWS = GATE_ROWS / (PAIR_THREADS / 32);  // of a warp
  typedef pair_tile<R, GATE_M> Tile;
  DYN_SHARED(Tile, tile);
  R* logits = reinterpret_cast<R*>(tile + 1);
  const int warp = threadIdx.x >> 5;
  for (long long first = (long long)blockIdx.x * GATE_ROWS; first < n; first += (long long)gridDim.x * GATE_ROWS) {
    R value[ROWS];
    int expert[ROWS];
#pragma unroll
    for (int r = 0; r < ROWS; ++r) {
      value[r] = R(0);
      expert[r] = -1;
    }
    for (int from = 0; from < many; from += GATE_ROWS) {
      R made[GATE_M][GATE_M];
      pairs<false, T, GATE_M>(*tile, x, first, n, weights, from, many, d, made);
#pragma unroll
      for (int j = 0; j < GATE_M; ++j) {
        const int column = pair_place<GATE_M>(threadIdx.x & 15, j);
        const R shift = bias && from + column < many ? load(bias, from + column) : R(0);
#pragma unroll
        for (int i = 0; i < GATE_M; ++i) {
          logits[pair_place<GATE_M>(threadIdx.x >> 4, i) * GATE_STRIDE + column] = made[i][j] + shift;
        }
      }
      __syncthreads();
#pragma unroll
      for (int r = 0; r < ROWS; ++r) {
#pragma unroll
        for (int part = 0; part < GATE_ROWS; part += 32) {
          const int column = part + int(LANE);
          rank_in(value[r], expert[r], logits[(warp * ROWS + r) * GATE_STRIDE + column], from + column,
                  from + column < many, k);
        }
      }
      __syncthreads();
    }
#pragma unroll
    for (int r = 0; r < ROWS; ++r) {
      const long long row = first + warp * ROWS + r;
      const R greatest = __shfl_sync(EVERY_LANE, value[r], 0);
      const R part = int(LANE) < k ? exponential(value[r] - greatest) : R(0);
      const R whole = warp_sum(part);
      if (int(LANE) < k && row < n) {
        experts[offset_t(row) * k + LANE] = expert[r];
        store(gates, offset_t(row) * k + LANE, part / whole);
      }
    }
  }
}

// As it is defined, one thread per input and nothing done twice. It is slow, and there to be counted: with -DCOUNTED,
// what it does must be what the closed formula of its price charges.

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
