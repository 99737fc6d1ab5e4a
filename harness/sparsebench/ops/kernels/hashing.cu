// Hashes of rows by their projections on k vectors, for s tables: the sides of hyperplanes (a bit each) or the
// cells of the p-stable hash (a digit each). The first projection is the most significant.
#include "mma.cuh"
#include "vectors.cuh"
#include "scalar.cuh"

#define HASH_THREADS 256
#define HASH_GROUPS 64  // four threads share ROWS rows; each reads every fourth vector of four numbers

// The digit of a projection: 1 where it is beyond the offset, or clip(floor(projection + offset)).
template <bool CELLS, typename R>
__device__ __forceinline__ long long digit_of(R projection, R offset, long long levels) {
  if (!CELLS) return projection > offset;
  const double cell = double(projection + offset), last = double(levels - 1);
  return cell > last ? levels - 1 : cell > 0.0 ? (long long)cell : 0;  // a NaN is 0
}

// Vectors first..first+PLANES-1 of a table, columns at..at+stride-1, 0 beyond k and d.
template <typename T>
__device__ __forceinline__ void stage(real_of<T>* kept, const T* planes, int table, int first, int many, int k,
                                      int d, int at, int stride) {
  for (int i = threadIdx.x; i < many * stride; i += HASH_THREADS) {
    const int plane = first + i / stride, column = at + i % stride;
    const bool there = plane < k && column < d;
    kept[i] = there ? load(planes, (offset_t(table) * k + plane) * d + column) : real_of<T>(0);
  }
}

// Two lanes that are BY apart give each other half of their sums: each keeps HALF, whole.
template <int HALF, int BY, int PLANES, typename R>
__device__ __forceinline__ void share_half(R (&sum)[PLANES], bool upper) {
#pragma unroll
  for (int i = 0; i < HALF; ++i) {
    const R sent = upper ? sum[i] : sum[i + HALF], kept = upper ? sum[i + HALF] : sum[i];
    sum[i] = kept + __shfl_xor_sync(EVERY_LANE, sent, BY);
  }
}

// Four lanes have a part of each of PLANES sums: afterwards lane q has sums q * PLANES / 4 + i whole, at i.
template <int PLANES, typename R>
__device__ __forceinline__ void share_out(R (&sum)[PLANES], int q) {
  share_half<PLANES / 2, 2>(sum, q & 2);
  share_half<PLANES / 4, 1>(sum, q & 1);
}

// Appends the digits of vectors first..first+PLANES-1 to the address of a row: all four lanes get it.
template <bool CELLS, int PLANES, typename R>
__device__ __forceinline__ long long append(long long address, R (&sum)[PLANES], const R* offsets, int first, int k,
                                            long long levels, int q) {
  share_out<PLANES>(sum, q);
  long long digits = 0, power = 1;
#pragma unroll
  for (int i = 0; i < PLANES / 4; ++i) {
    const int plane = first + q * (PLANES / 4) + i;
    if (plane < k) {
      digits = digits * levels + digit_of<CELLS>(sum[i], offsets ? offsets[plane] : R(0), levels);
      power *= levels;
    }
  }
#pragma unroll
  for (int by = 1; by < 4; by <<= 1) {
    const long long other = __shfl_xor_sync(EVERY_LANE, digits, by);
    const long long other_power = __shfl_xor_sync(EVERY_LANE, power, by);
    digits = q & by ? other * power + digits : digits * other_power + other;
    power *= other_power;
  }
  return address * power + digits;
}

// x (n, d), planes (tables, k, d), offsets (tables, k) or null -> out (n, tables).
// Dynamic shared memory: if `whole`, all planes, k rounded up to PLANES, each `stride` long; else PLANES x stride.
// stride: a multiple of 16.
template <typename T, int PLANES, int ROWS, bool CELLS>
__global__ void __launch_bounds__(HASH_THREADS, sizeof(real_of<T>) == 8 ? 1 : 2)
    hash_rows(const T* x, const T* planes, const real_of<T>* offsets, long long* out, long long n, int d, int tables,
              int k, long long levels, int stride, int whole) {
  typedef real_of<T> R;
  DYN_SHARED(R, kept);
  const int q = threadIdx.x & 3, group = threadIdx.x >> 2, padded = (k + PLANES - 1) / PLANES * PLANES;
  const bool dense = by_fours(x, d);
  if (whole) {
    for (int table = 0; table < tables; ++table) {
      stage(kept + table * padded * stride, planes, table, 0, padded, k, d, 0, stride);
    }
    __syncthreads();
  }
  for (long long base = (long long)blockIdx.x * HASH_GROUPS * ROWS; base < n;
       base += (long long)gridDim.x * HASH_GROUPS * ROWS) {
    for (int table = 0; table < tables; ++table) {
      long long address[ROWS] = {};
      for (int first = 0; first < k; first += PLANES) {
        R sum[ROWS][PLANES] = {};
        for (int at = 0; at < d; at += stride) {
          const R* now = kept + (table * padded + first) * stride;
          if (!whole) {
            now = kept;
            __syncthreads();
            stage(kept, planes, table, first, PLANES, k, d, at, stride);
            __syncthreads();
          }
          const int end = d - at < stride ? d - at : stride;
          auto bring = [&](four<R>(&numbers)[ROWS], int column) {
#pragma unroll
            for (int r = 0; r < ROWS; ++r) {
              const long long row = base + group + r * HASH_GROUPS;
              numbers[r] = load4(x + offset_t(row < n ? row : 0) * d, at + column, row < n ? d : 0, dense);
            }
          };
          four<R> next[ROWS];  // on their way while the ones before are multiplied
          bring(next, 4 * q);
          for (int column = 4 * q; column < end; column += 16) {
            four<R> numbers[ROWS];
#pragma unroll
            for (int r = 0; r < ROWS; ++r) numbers[r] = next[r];
            if (column + 16 < end) bring(next, column + 16);
#pragma unroll
            for (int plane = 0; plane < PLANES; ++plane) {
              const packed4<R> normal = *reinterpret_cast<const packed4<R>*>(now + plane * stride + column);
#pragma unroll
              for (int r = 0; r < ROWS; ++r) {
#pragma unroll
                for (int i = 0; i < 4; ++i) sum[r][plane] += numbers[r].value[i] * normal.value[i];
              }
            }
          }
        }
        const R* own = offsets ? offsets + offset_t(table) * k : offsets;
#pragma unroll
        for (int r = 0; r < ROWS; ++r) address[r] = append<CELLS>(address[r], sum[r], own, first, k, levels, q);
      }
#pragma unroll
      for (int r = 0; r < ROWS; ++r) {
        const long long row = base + group + r * HASH_GROUPS;
        if (q == 0 && row < n) out[offset_t(row) * tables + table] = address[r];
      }
    }
  }
}

// The same sides by tensor cores, for up to 16 hyperplanes of 16-bit numbers: sums are of float, and exact products.
// A warp takes SHORT_GROUPS times 16 rows. The inner index may go in any order, so a lane reads 8 numbers at once:
// its words 2s and 2s + 1 are those that step s of a chunk of 32 asks of it.
#define SHORT_GROUPS 2

// Eight 16-bit numbers as four words.
template <typename T>
__device__ __forceinline__ uint4 words_of(const T* from, bool dense) {
  if (dense) return *reinterpret_cast<const uint4*>(from);
  const unsigned short* bits = reinterpret_cast<const unsigned short*>(from);
  return make_uint4(bits[0] | unsigned(bits[1]) << 16, bits[2] | unsigned(bits[3]) << 16,
                    bits[4] | unsigned(bits[5]) << 16, bits[6] | unsigned(bits[7]) << 16);
}

// x (n, 32 CHUNKS), planes (k, 32 CHUNKS), offsets (k,) or null -> out (n,).
template <typename T, int CHUNKS>
__global__ void __launch_bounds__(HASH_THREADS)
    hash_short(const T* x, const T* planes, const float* offsets, long long* out, long long n, int k) {
  const int g = LANE >> 2, t = LANE & 3, d = 32 * CHUNKS, ROWS = 16 * SHORT_GROUPS, WARPS = HASH_THREADS / 32;
  unsigned normal[CHUNKS][2][4];  // of the plane 8 j + g
  float beyond[2][2];
  const bool dense = aligned16(x);
#pragma unroll
  for (int j = 0; j < 2; ++j) {
#pragma unroll
    for (int c = 0; c < CHUNKS; ++c) {
      uint4 words = make_uint4(0, 0, 0, 0);
      if (8 * j + g < k) words = words_of(planes + offset_t(8 * j + g) * d + c * 32 + 8 * t, aligned16(planes));
      normal[c][j][0] = words.x;
      normal[c][j][1] = words.y;
      normal[c][j][2] = words.z;
      normal[c][j][3] = words.w;
    }
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const int plane = 8 * j + 2 * t + i;
      beyond[j][i] = plane < k && offsets ? offsets[plane] : 0.f;
    }
  }
  const long long step = (long long)gridDim.x * WARPS * ROWS;
  for (long long base = ((long long)blockIdx.x * WARPS + threadIdx.x / 32) * ROWS; base < n; base += step) {
    uint4 seen[SHORT_GROUPS][2][CHUNKS];
#pragma unroll
    for (int r = 0; r < 2 * SHORT_GROUPS; ++r) {
      const long long row = base + 8 * r + g;
#pragma unroll
      for (int c = 0; c < CHUNKS; ++c) {
        seen[r / 2][r % 2][c] = words_of(x + offset_t(row < n ? row : n - 1) * d + c * 32 + 8 * t, dense);
      }
    }
#pragma unroll
    for (int r = 0; r < SHORT_GROUPS; ++r) {
      float acc[2][4] = {};
#pragma unroll
      for (int c = 0; c < CHUNKS; ++c) {
        const uint4 top = seen[r][0][c], low = seen[r][1][c];
        const unsigned first[4] = {top.x, low.x, top.y, low.y}, second[4] = {top.z, low.z, top.w, low.w};
#pragma unroll
        for (int j = 0; j < 2; ++j) {
          const unsigned one[2] = {normal[c][j][0], normal[c][j][1]}, two[2] = {normal[c][j][2], normal[c][j][3]};
          mma_short<T>(acc[j], first, one);
          mma_short<T>(acc[j], second, two);
        }
      }
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        unsigned address = 0;
#pragma unroll
        for (int j = 0; j < 2; ++j) {
#pragma unroll
          for (int i = 0; i < 2; ++i) {
            const int plane = 8 * j + 2 * t + i;
            if (plane < k && acc[j][2 * half + i] > beyond[j][i]) address |= 1u << (k - 1 - plane);
          }
        }
        address |= __shfl_xor_sync(EVERY_LANE, address, 1);
        address |= __shfl_xor_sync(EVERY_LANE, address, 2);
        const long long row = base + 16 * r + 8 * half + g;
        if (t == 0 && row < n) out[row] = address;
      }
    }
  }
}

// As it is defined, one thread per input and nothing done twice. It is slow, and there to be counted: with -DCOUNTED,
// what it does must be what the closed formula of its price charges.

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
