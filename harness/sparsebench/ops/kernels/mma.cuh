// Products of small matrices by a warp's tensor cores: mma.sync, with a body in C++ for the processor.
//
// In lane l, g = l / 4 and t = l % 4. C (16, 8) is held as rows g and g + 8, columns 2t and 2t + 1.
#pragma once
#include "async.cuh"

#ifdef CUDA_ON_CPU
// All that the lanes hold: what lane l holds of register i.
struct lanes_of {
  unsigned held[4][32];
  lanes_of(const unsigned* registers, int many) {
    for (int i = 0; i < many; ++i) {
      const uint64_t* said = cpu::warp_exchange(EVERY_LANE, registers[i]);
      for (int lane = 0; lane < 32; ++lane) held[i][lane] = unsigned(said[lane]);
    }
  }
};
#endif

// C += A (16, 8) B (8, 8) in TF32: the 13 last bits of the mantissas are not looked at.
__device__ __forceinline__ void mma_tf32(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
#ifdef CUDA_ON_CPU
  const lanes_of left(a, 4), right(b, 2);
  const unsigned g = LANE >> 2, t = LANE & 3;
  for (unsigned i = 0; i < 4; ++i) {
    const unsigned row = g + (i >> 1) * 8, column = t * 2 + (i & 1);
    float sum = c[i];
    for (unsigned k = 0; k < 8; ++k) {
      const unsigned p = left.held[(row >> 3) + 2 * (k >> 2)][(row & 7) * 4 + (k & 3)];
      const unsigned q = right.held[k >> 2][column * 4 + (k & 3)];
      sum += __uint_as_float(p & 0xffffe000u) * __uint_as_float(q & 0xffffe000u);
    }
    c[i] = sum;
  }
#else
  asm(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

// C += A (16, 16) B (16, 8) of 16-bit numbers, two of which are in a register, the first one low.
template <typename T>
__device__ __forceinline__ void mma_short(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]);

#ifdef CUDA_ON_CPU
template <typename T>
void mma_short_on_cpu(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  const lanes_of left(a, 4), right(b, 2);
  const unsigned g = LANE >> 2, t = LANE & 3;
  for (unsigned i = 0; i < 4; ++i) {
    const unsigned row = g + (i >> 1) * 8, column = t * 2 + (i & 1);
    float sum = c[i];
    for (unsigned k = 0; k < 16; ++k) {
      const unsigned p = left.held[(row >> 3) + 2 * (k >> 3)][(row & 7) * 4 + (k & 7) / 2] >> 16 * (k & 1);
      const unsigned q = right.held[k >> 3][column * 4 + (k & 7) / 2] >> 16 * (k & 1);
      sum += to_real(T{(unsigned short)p}) * to_real(T{(unsigned short)q});
    }
    c[i] = sum;
  }
}
template <>
inline void mma_short<half_t>(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  mma_short_on_cpu<half_t>(c, a, b);
}
template <>
inline void mma_short<bf16_t>(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  mma_short_on_cpu<bf16_t>(c, a, b);
}
#else
#define MMA_SHORT(TYPE, NAME)                                                                                   \
  template <>                                                                                                   \
  __device__ __forceinline__ void mma_short<TYPE>(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) { \
    asm("mma.sync.aligned.m16n8k16.row.col.f32." NAME "." NAME                                         \
                 ".f32 {%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};"                                      \
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])                                               \
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));                           \
  }
MMA_SHORT(half_t, "f16")
MMA_SHORT(bf16_t, "bf16")
#undef MMA_SHORT
#endif

// Products of rows that lie in shared memory as rows of STRIDE numbers: 16 * MT rows of x by 8 * NT rows of w, over
// steps of 32 bytes of each. float goes through TF32 three times (large times large, and large times small both
// ways), which gives the digits of float32.
template <typename T>
struct in_steps {
  static constexpr int VECTOR = 16 / sizeof(T), STEP = 2 * VECTOR;  // numbers

  template <int MT>
  struct left {
    unsigned a[MT][4];
    __device__ __forceinline__ void take(int m, const unsigned (&words)[4]) {
#pragma unroll
      for (int i = 0; i < 4; ++i) a[m][i] = words[i];
    }
  };
  template <int MT, int NT>
  __device__ static __forceinline__ void multiply(const left<MT>& l, const unsigned (&words)[2][4], int n,
                                                  float (&acc)[MT][NT][4]) {
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const unsigned b[2] = {words[j >> 1][(j & 1) * 2], words[j >> 1][(j & 1) * 2 + 1]};
#pragma unroll
      for (int m = 0; m < MT; ++m) mma_short<T>(acc[m][n + j], l.a[m], b);
    }
  }
};

template <>
struct in_steps<float> {
  static constexpr int VECTOR = 4, STEP = 8;

  __device__ static __forceinline__ void split(unsigned word, unsigned& large, unsigned& small) {
    large = word & 0xffffe000u;
    small = __float_as_uint(__uint_as_float(word) - __uint_as_float(large));
  }
  template <int MT>
  struct left {
    unsigned large[MT][4], small[MT][4];
    __device__ __forceinline__ void take(int m, const unsigned (&words)[4]) {
#pragma unroll
      for (int i = 0; i < 4; ++i) split(words[i], large[m][i], small[m][i]);
    }
  };
  template <int MT, int NT>
  __device__ static __forceinline__ void multiply(const left<MT>& l, const unsigned (&words)[2][4], int n,
                                                  float (&acc)[MT][NT][4]) {
    unsigned large[4][2], small[4][2];
#pragma unroll
    for (int j = 0; j < 8; ++j) split(words[j >> 2][j & 3], large[j >> 1][j & 1], small[j >> 1][j & 1]);
#pragma unroll
    for (int pass = 0; pass < 3; ++pass) {  // neighbouring products go to different sums, and do not wait
#pragma unroll
      for (int j = 0; j < 4; ++j) {
#pragma unroll
        for (int m = 0; m < MT; ++m) {
          mma_tf32(acc[m][n + j], pass ? l.large[m] : l.small[m], pass == 1 ? small[j] : large[j]);
        }
      }
    }
  }
};

// columns: how many of the rows of w are wanted, in fours of 8; ALL: all of them are.
template <typename T, int STRIDE, bool ALL, int MT, int NT>
__device__ __forceinline__ void multiply_some(shared_t x, shared_t w, int depth, int columns,
                                              float (&acc)[MT][NT][4]) {
  typedef in_steps<T> Steps;
  const int BYTES = sizeof(T), ROW = STRIDE * BYTES;
  for (int k = 0; k < depth; k += Steps::STEP) {
    typename Steps::template left<MT> left;
#pragma unroll
    for (int m = 0; m < MT; ++m) {
      unsigned words[4];
      load_matrices(words, x + m * 16 * ROW + k * BYTES);
      left.take(m, words);
    }
#pragma unroll
    for (int n = 0; n < NT; n += 4) {
      if (!ALL && n * 8 >= columns) break;
      unsigned words[2][4];
      load_matrices(words[0], w + n * 8 * ROW + k * BYTES);
      load_matrices(words[1], w + (n * 8 + 16) * ROW + k * BYTES);
      Steps::multiply(left, words, n, acc);
    }
  }
}
template <typename T, int STRIDE, int MT, int NT>
__device__ __forceinline__ void multiply_rows(const T* x, const T* w, int depth, int columns,
                                              float (&acc)[MT][NT][4]) {
  const int i = LANE >> 3, r = LANE & 7, ROW = STRIDE * sizeof(T);  // of matrix i, row r
  const shared_t left = shared_address(x) + ((i & 1) * 8 + r) * ROW + (i >> 1) * 16;
  const shared_t right = shared_address(w) + ((i >> 1) * 8 + r) * ROW + (i & 1) * 16;
  if (columns > NT * 8 - 32) {
    multiply_some<T, STRIDE, true>(left, right, depth, columns, acc);
  } else {
    multiply_some<T, STRIDE, false>(left, right, depth, columns, acc);
  }
}

// Two neighbouring numbers, stored at once.
template <typename T>
__device__ __forceinline__ void store_two(T* to, float first, float second);

template <>
__device__ __forceinline__ void store_two<float>(float* to, float first, float second) {
  *reinterpret_cast<float2*>(to) = make_float2(first, second);
}
#ifdef CUDA_ON_CPU
#define STORE_TWO(TYPE, NAME)                                                    \
  template <>                                                                    \
  inline void store_two<TYPE>(TYPE* to, float first, float second) {             \
    const TYPE both[2] = {stored<TYPE>::from(first), stored<TYPE>::from(second)}; \
    *reinterpret_cast<unsigned*>(to) = both[0].bits | unsigned(both[1].bits) << 16; \
  }
#else
#define STORE_TWO(TYPE, NAME)                                                                    \
  template <>                                                                                    \
  __device__ __forceinline__ void store_two<TYPE>(TYPE * to, float first, float second) {        \
    unsigned both;                                                                               \
    asm("cvt.rn." NAME "x2.f32 %0, %1, %2;" : "=r"(both) : "f"(second), "f"(first));             \
    *reinterpret_cast<unsigned*>(to) = both;                                                     \
  }
#endif
STORE_TWO(half_t, "f16")
STORE_TWO(bf16_t, "bf16")
#undef STORE_TWO

// relu by one instruction; a NaN stays one.
__device__ __forceinline__ float relu_at_once(float value) {
#ifdef CUDA_ON_CPU
  return relu(value);
#else
  float made;
  asm("max.NaN.f32 %0, %1, 0f00000000;" : "=f"(made) : "f"(value));
  return made;
#endif
}
