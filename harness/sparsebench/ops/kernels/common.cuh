// What all kernels share: 16-bit numbers, loads and stores by the type that is computed in, activations, and
// sums over a warp. No header of CUDA is included, so that NVRTC alone compiles it.
//
// The tests run the same sources on the processor, where CUDA_ON_CPU is defined. Two idioms make that possible:
// dynamic shared memory is declared by DYN_SHARED, and inline PTX has a body in C++ beside it.
#pragma once

#ifndef CUDA_ON_CPU
// T* name: the block's dynamic shared memory, aligned to 16 bytes. Once in a kernel.
#define DYN_SHARED(T, name)                                              \
  extern __shared__ __align__(16) unsigned char dynamic_shared_memory[]; \
  T* name = reinterpret_cast<T*>(dynamic_shared_memory)
#define LANE (threadIdx.x & 31)
#else
#define LANE CPU_LANE
#endif

#define EVERY_LANE 0xffffffffu

typedef unsigned long long offset_t;  // sizes over 2^31: row * width is computed in it

// ---- 16-bit floating point: stored so, computed with as float -------------------------------------------------

struct half_t {  // IEEE binary16
  unsigned short bits;
  static constexpr char numpy_kind = 'f';
};

struct bf16_t {  // the upper half of a float
  unsigned short bits;
  static constexpr char numpy_kind = 'V';
};

__device__ __forceinline__ float half_to_float(unsigned short bits) {
#ifndef CUDA_ON_CPU
  float value;
  asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(bits));
  return value;
#else
  const unsigned sign = (bits & 0x8000u) << 16, exponent = bits >> 10 & 31u, mantissa = bits & 0x3ffu;
  if (exponent == 31u) return __uint_as_float(sign | 0x7f800000u | mantissa << 13);
  if (exponent != 0u) return __uint_as_float(sign | (exponent + 112u) << 23 | mantissa << 13);
  const float small = float(mantissa) * 5.9604644775390625e-8f;  // 2^-24
  return sign ? -small : small;
#endif
}

__device__ __forceinline__ unsigned short float_to_half(float value) {  // to the nearest, ties to even
#ifndef CUDA_ON_CPU
  unsigned short bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value));
  return bits;
#else
  const unsigned all = __float_as_uint(value), sign = all >> 16 & 0x8000u, size = all & 0x7fffffffu;
  if (size > 0x7f800000u) return (unsigned short)(sign | 0x7fffu);
  if (size >= 0x477ff000u) return (unsigned short)(sign | 0x7c00u);
  if (size < 0x38800000u) {  // subnormal: adding 0.5 leaves the mantissa in the last bits, rounded
    return (unsigned short)(sign | (__float_as_uint(__uint_as_float(size) + 0.5f) - 0x3f000000u));
  }
  return (unsigned short)(sign | (size + 0xc8000fffu + (size >> 13 & 1u)) >> 13);
#endif
}

__device__ __forceinline__ float bf16_to_float(unsigned short bits) { return __uint_as_float(unsigned(bits) << 16); }

__device__ __forceinline__ unsigned short float_to_bf16(float value) {  // to the nearest, ties to even
  const unsigned all = __float_as_uint(value);
  if ((all & 0x7fffffffu) > 0x7f800000u) return (unsigned short)(all >> 16 | 0x40u);  // stays a NaN
  return (unsigned short)((all + 0x7fffu + (all >> 16 & 1u)) >> 16);
}

// ---- types: what is stored, and what is computed in ------------------------------------------------------------

template <typename T>
struct computed {
  typedef T type;
};
template <>
struct computed<half_t> {
  typedef float type;
};
template <>
struct computed<bf16_t> {
  typedef float type;
};
template <typename T>
using real_of = typename computed<T>::type;  // float for half_t, bf16_t and float, double for double

template <typename T>
__device__ __forceinline__ real_of<T> to_real(T value) {
  return value;
}
template <>
__device__ __forceinline__ float to_real<half_t>(half_t value) {
  return half_to_float(value.bits);
}
template <>
__device__ __forceinline__ float to_real<bf16_t>(bf16_t value) {
  return bf16_to_float(value.bits);
}

template <typename T>
struct stored {
  __device__ static __forceinline__ T from(real_of<T> value) { return value; }
};
template <>
struct stored<half_t> {
  __device__ static __forceinline__ half_t from(float value) { return half_t{float_to_half(value)}; }
};
template <>
struct stored<bf16_t> {
  __device__ static __forceinline__ bf16_t from(float value) { return bf16_t{float_to_bf16(value)}; }
};

template <typename T>
__device__ __forceinline__ real_of<T> load(const T* from, offset_t at) {
  return to_real<T>(from[at]);
}
template <typename T>
__device__ __forceinline__ void store(T* to, offset_t at, real_of<T> value) {
  to[at] = stored<T>::from(value);
}

// 16 bytes of consecutive numbers, read at once from memory that is so aligned.
template <typename T>
struct __align__(16) vector_of {
  static constexpr int length = 16 / sizeof(T);
  T value[16 / sizeof(T)];
};
__device__ __forceinline__ bool aligned16(const void* pointer) {
  return (reinterpret_cast<unsigned long long>(pointer) & 15u) == 0u;
}

template <typename T>
__device__ __forceinline__ T not_a_number();
template <>
__device__ __forceinline__ float not_a_number<float>() {
  return __uint_as_float(0x7fc00000u);
}
template <>
__device__ __forceinline__ double not_a_number<double>() {
  return double(__uint_as_float(0x7fc00000u));
}

// ---- functions -------------------------------------------------------------------------------------------------

__device__ __forceinline__ float exponential(float value) { return expf(value); }
__device__ __forceinline__ double exponential(double value) { return exp(value); }

enum activation_t { IDENTITY, RELU, PRELU, SWISH, K_TANH };  // as ops/gpu/activations.py numbers them

template <typename R>
__device__ __forceinline__ R relu(R value) {
  return value > R(0) || value != value ? value : R(0);  // a NaN stays one
}
template <typename R>
__device__ __forceinline__ R prelu(R value, R slope) {
  return value > R(0) ? value : value * slope;
}
template <typename R>
__device__ __forceinline__ R swish(R value) {
  return value / (R(1) + exponential(-value));
}

// K-TanH (Kundu et al. 2019): tanh of the leading 8 bits of the mantissa, by a table of 32 lines chosen by the
// two low bits of the exponent and the three high bits of the mantissa: exponent, shift of the mantissa, bias.
struct k_tanh_line {
  unsigned char exponent;
  unsigned char shift;
  signed char bias;
};
static __device__ const k_tanh_line K_TANH_TABLE[32] = {
    {126, 2, 119}, {126, 4, 122}, {126, 4, 123}, {126, 4, 123}, {126, 6, 126}, {126, 6, 126}, {126, 6, 126},
    {126, 6, 126}, {125, 1, 1},   {125, 0, -4},  {125, 0, -6},  {125, 0, -7},  {125, 0, -10}, {125, 0, -12},
    {125, 0, -15}, {125, 0, -18}, {125, 0, 112}, {126, 1, -4},  {126, 1, -1},  {126, 1, 2},   {126, 1, 3},
    {126, 1, 4},   {126, 1, 4},   {126, 1, 4},   {126, 0, 65},  {126, 1, 72},  {126, 1, 73},  {126, 1, 73},
    {126, 2, 88},  {126, 2, 89},  {126, 2, 89},  {126, 4, 110}};

__device__ __forceinline__ unsigned bf16_bits(float value) { return __float_as_uint(value) >> 16; }
__device__ __forceinline__ unsigned bf16_bits(double value) {  // of a value that a bfloat16 has the exponent for
  const unsigned long long all = (unsigned long long)__double_as_longlong(value);
  const unsigned exponent = unsigned(all >> 52 & 2047u) - 896u;
  return unsigned(all >> 63) << 15 | exponent << 7 | unsigned(all >> 45 & 127u);
}

template <typename R>
__device__ __forceinline__ R k_tanh(R value) {
  const R size = value < R(0) ? -value : value;
  if (size > R(3.75)) return value < R(0) ? R(-1) : R(1);
  if (!(size >= R(0.25))) return value;  // also a NaN
  const unsigned bits = bf16_bits(value), mantissa = bits & 127u;
  const k_tanh_line line = K_TANH_TABLE[(bits >> 7 & 3u) << 3 | mantissa >> 4];
  const unsigned made = (mantissa >> line.shift) + unsigned(int(line.bias));
  return R(__uint_as_float((bits & 0x8000u) << 16 | unsigned(line.exponent) << 23 | (made & 127u) << 16));
}

template <typename R>
__device__ __forceinline__ R activate(int which, R value, R slope) {
  switch (which) {
    case RELU:
      return relu(value);
    case PRELU:
      return prelu(value, slope);
    case SWISH:
      return swish(value);
    case K_TANH:
      return k_tanh(value);
    default:
      return value;
  }
}

// ---- a warp together: all 32 lanes must call -------------------------------------------------------------------

template <typename R>
__device__ __forceinline__ R warp_sum(R value) {  // in every lane the same bits
  for (int step = 16; step; step >>= 1) value += __shfl_xor_sync(EVERY_LANE, value, step);
  return value;
}

template <typename R>
__device__ __forceinline__ R warp_max(R value) {
  for (int step = 16; step; step >>= 1) {
    const R other = __shfl_xor_sync(EVERY_LANE, value, step);
    value = other > value ? other : value;
  }
  return value;
}
