// A number that counts what is done with it: the judge of the closed formulas of ops.
//
// A kernel that is written for `real` and one thread per input computes as fast as it would with floats; with
// -DCOUNTED every thread counts its operations, and a count_scope adds them up. What is counted is what the
// source says: no tiles, no padding, no work done twice by a warp.
#pragma once
#include "common.cuh"

enum count_kind {  // as ops/charges.py names them
  COUNT_ADD,
  COUNT_MUL,
  COUNT_CMP,
  COUNT_DIV,
  COUNT_SPECIAL,
  COUNT_LOOKUP,
  COUNT_LOAD,
  COUNT_LOGIC,
  COUNT_ADDRESS,
  COUNT_SELECT,
  COUNT_KINDS
};

#ifdef COUNTED
#ifndef COUNT_BLOCK
#define COUNT_BLOCK 256  // the most threads of a block of a counting kernel
#endif
#ifdef CUDA_ON_CPU
static unsigned counts_of_threads[COUNT_KINDS][COUNT_BLOCK];
#else
__shared__ unsigned counts_of_threads[COUNT_KINDS][COUNT_BLOCK];
#endif
__device__ __forceinline__ unsigned counting_thread() {
  return threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
}
__device__ __forceinline__ void count(count_kind kind, unsigned amount = 1) {
  counts_of_threads[kind][counting_thread()] += amount;
}

// First in a kernel: sets the thread's counts to 0, and adds them to `totals` wherever the kernel is left.
struct count_scope {
  unsigned long long* totals;
  __device__ __forceinline__ explicit count_scope(unsigned long long* to) : totals(to) {
    for (int kind = 0; kind < COUNT_KINDS; ++kind) counts_of_threads[kind][counting_thread()] = 0;
  }
  __device__ __forceinline__ ~count_scope() {
    for (int kind = 0; kind < COUNT_KINDS; ++kind) {
      const unsigned long long counted_here = counts_of_threads[kind][counting_thread()];
      if (totals && counted_here) atomicAdd(totals + kind, counted_here);
    }
  }
};

// Made of a T and nothing else, so that arrays of T are passed as they are. A negation is an addition (of
// charges.py: "additions, subtractions and negations"), a fused multiply-add is two operations.
template <typename T>
struct counted {
  typedef T plain;
  T value;
  counted() = default;
  __device__ __forceinline__ counted(T number) : value(number) {}
  __device__ __forceinline__ counted& operator+=(counted other) { return *this = *this + other; }
  __device__ __forceinline__ counted& operator-=(counted other) { return *this = *this - other; }
  __device__ __forceinline__ counted& operator*=(counted other) { return *this = *this * other; }
  __device__ __forceinline__ counted& operator/=(counted other) { return *this = *this / other; }
  __device__ __forceinline__ friend counted operator+(counted a, counted b) {
    count(COUNT_ADD);
    return counted(a.value + b.value);
  }
  __device__ __forceinline__ friend counted operator-(counted a, counted b) {
    count(COUNT_ADD);
    return counted(a.value - b.value);
  }
  __device__ __forceinline__ friend counted operator-(counted a) {
    count(COUNT_ADD);
    return counted(-a.value);
  }
  __device__ __forceinline__ friend counted operator*(counted a, counted b) {
    count(COUNT_MUL);
    return counted(a.value * b.value);
  }
  __device__ __forceinline__ friend counted operator/(counted a, counted b) {
    count(COUNT_DIV);
    return counted(a.value / b.value);
  }
  __device__ __forceinline__ friend bool operator<(counted a, counted b) {
    count(COUNT_CMP);
    return a.value < b.value;
  }
  __device__ __forceinline__ friend bool operator>(counted a, counted b) {
    count(COUNT_CMP);
    return a.value > b.value;
  }
  __device__ __forceinline__ friend bool operator<=(counted a, counted b) {
    count(COUNT_CMP);
    return a.value <= b.value;
  }
  __device__ __forceinline__ friend bool operator>=(counted a, counted b) {
    count(COUNT_CMP);
    return a.value >= b.value;
  }
  __device__ __forceinline__ friend counted maximum(counted a, counted b) {
    count(COUNT_CMP);
    return counted(a.value > b.value ? a.value : b.value);
  }
  __device__ __forceinline__ friend counted exponential(counted a) {
    count(COUNT_SPECIAL);
    return counted(::exponential(a.value));
  }
};
#else
template <typename T>
using counted = T;
__device__ __forceinline__ void count(count_kind, unsigned = 1) {}
struct count_scope {
  __device__ __forceinline__ explicit count_scope(unsigned long long*) {}
};
__device__ __forceinline__ float maximum(float a, float b) { return a > b ? a : b; }
__device__ __forceinline__ double maximum(double a, double b) { return a > b ? a : b; }
#endif

// A look-up of a record at a computed address: 1 look-up, and its elements are loads. Give the record's place.
template <typename T>
__device__ __forceinline__ const T* looked_up(const T* table, offset_t record, offset_t width) {
  count(COUNT_LOOKUP);
  count(COUNT_LOAD, unsigned(width));
  return table + record * width;
}
// The steps that make an address of parts: none for the first.
__device__ __forceinline__ void joined(int part) { count(COUNT_ADDRESS, part > 0); }
// Another table's record at the same address: no further look-up.
template <typename T>
__device__ __forceinline__ const T* beside(const T* table, offset_t record, offset_t width) {
  count(COUNT_LOAD, unsigned(width));
  return table + record * width;
}
