// What the kernels share that do one input in one thread, to be counted.
#pragma once
#include "counted.cuh"

template <typename T>
using real = counted<T>;

// The row of this thread, or -1.
__device__ __forceinline__ long long own_row(long long n) {
  const long long row = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  return row < n ? row : -1;
}

template <typename T>
__device__ __forceinline__ real<T> product(const real<T>* a, const real<T>* b, int d) {
  if (d == 0) return real<T>(T(0));
  real<T> sum = a[0] * b[0];
  for (int i = 1; i < d; ++i) sum += a[i] * b[i];
  return sum;
}

// The number itself, to look at without counting.
template <typename T>
__device__ __forceinline__ T bare(real<T> number) {
#ifdef COUNTED
  return number.value;
#else
  return number;
#endif
}

// Two contestants, of which the left one has the lower numbers and so wins where they are equal. -1: out.
template <typename T>
__device__ __forceinline__ int winner(const real<T>* numbers, int left, int right) {
  count(COUNT_CMP);
  if (left < 0 || right < 0) return left < 0 ? right : left;
  return bare<T>(numbers[left]) >= bare<T>(numbers[right]) ? left : right;
}

// K-TanH of the leading 7 bits of the mantissa, as ops.k_tanh goes about it: numbers choose, and no bits are read.
template <typename T>
__device__ __forceinline__ real<T> scalar_k_tanh(real<T> x) {
  const T first[4] = {8, 16, 24, 0}, scale[4] = {512, 256, 128, 64};  // by octave, from [1/4, 1/2) up
  count(COUNT_CMP);  // a number without its sign
  const real<T> size = bare<T>(x) < T(0) ? real<T>(-bare<T>(x)) : x;
  const bool high = size >= real<T>(T(1)), low = size >= real<T>(high ? T(2) : T(0.5));
  count(COUNT_SELECT);  // of 2 and 1/2
  const int octave = 2 * high + low;
  count(COUNT_ADDRESS);
  count(COUNT_LOOKUP);
  count(COUNT_LOAD, 2);
  const real<T> number = size * real<T>(scale[octave]) - real<T>(T(128));
  int mantissa = 0;
  for (int bit = 64; bit; bit >>= 1) mantissa += number >= real<T>(T(mantissa + bit)) ? bit : 0;
  count(COUNT_ADDRESS, 6);  // every bit after the first
  count(COUNT_LOGIC, 2);  // two shifts and two additions of integers
  count(COUNT_ADD, 2);
  count(COUNT_LOOKUP);
  count(COUNT_LOAD, 3);
  const k_tanh_line line = K_TANH_TABLE[int(first[octave]) + (mantissa >> 4)];
  const T unit = T(__uint_as_float(unsigned(line.exponent) << 23)) / T(128);
  real<T> tangent = real<T>(T((mantissa >> line.shift) + line.bias + 128)) * real<T>(unit);
  if (size > real<T>(T(3.75))) tangent = real<T>(T(1));
  const real<T> negative = -tangent;
  count(COUNT_SELECT, 3);
  if (x < real<T>(T(0))) tangent = negative;
  return size >= real<T>(T(0.25)) ? tangent : x;
}

template <typename T>
__device__ __forceinline__ real<T> scalar_activation(int which, real<T> x, real<T> slope) {
  const real<T> zero(T(0));
  if (which == RELU) return x <= zero ? zero : x;
  if (which == PRELU) {
    const real<T> small = slope * x;  // of every number, as numbers of an array are
    count(COUNT_SELECT);
    return x > zero ? x : small;
  }
  if (which == SWISH) return x / (real<T>(T(1)) + exponential(-x));
  return which == K_TANH ? scalar_k_tanh<T>(x) : x;
}
