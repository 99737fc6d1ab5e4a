// Copies to shared memory that go on while a block computes (cp.async), and reads of what the tensor cores take
// (ldmatrix). On the processor a copy is done at once.
#pragma once
#include "common.cuh"

// A place in shared memory, in bytes: of 32 bits there, to which offsets are added once and for all.
#ifdef CUDA_ON_CPU
typedef unsigned long long shared_t;
#else
typedef unsigned shared_t;
#endif
__device__ __forceinline__ shared_t shared_address(const void* pointer) {
  unsigned long long address;
#ifdef CUDA_ON_CPU
  address = reinterpret_cast<unsigned long long>(pointer);
#else
  asm("cvta.to.shared.u64 %0, %1;" : "=l"(address) : "l"(pointer));
#endif
  return shared_t(address);
}

// 16 bytes, both sides so aligned; zeros where nothing is `there`, and then `from` is not read.
__device__ __forceinline__ void copy16(shared_t to, const void* from, bool there) {
#ifdef CUDA_ON_CPU
  char* bytes = reinterpret_cast<char*>(to);
  for (int i = 0; i < 16; ++i) bytes[i] = there ? static_cast<const char*>(from)[i] : 0;
#else
  asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(there ? 16 : 0)
               : "memory");
#endif
}

// What was copied since the last call is a group, be it empty.
__device__ __forceinline__ void end_group() {
#ifndef CUDA_ON_CPU
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

// Wait for this thread's groups but the LATEST ones; a barrier must follow before other threads' are read.
template <int LATEST>
__device__ __forceinline__ void wait_for_groups() {
#ifndef CUDA_ON_CPU
  asm volatile("cp.async.wait_group %0;" ::"n"(LATEST) : "memory");
#endif
}

// Four matrices of 8 rows of 16 bytes; lane l tells where row l % 8 of matrix l / 8 begins. Lane l gets of each the
// word l % 4 of row l / 4.
__device__ __forceinline__ void load_matrices(unsigned (&to)[4], shared_t row) {
#ifdef CUDA_ON_CPU
  const uint64_t* said = cpu::warp_exchange(EVERY_LANE, row);
  for (int i = 0; i < 4; ++i) to[i] = reinterpret_cast<const unsigned*>(said[i * 8 + LANE / 4])[LANE % 4];
#else
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(row)
               : "memory");
#endif
}

// 16 bytes of numbers that follow `from`, to `base` and so many numbers behind it; zeros from `many` on. VECTORS: both
// sides are so aligned, and `many` is a multiple of what 16 bytes hold. Else one after the other, in a loop, so that
// the code is short.
template <bool VECTORS, typename T>
__device__ __forceinline__ void copy_numbers(T* base, int behind, const T* from, int many) {
  if constexpr (VECTORS) {
    copy16(shared_address(base) + behind * int(sizeof(T)), from, many > 0);
  } else {
#pragma unroll 1
    for (int i = 0; i < vector_of<T>::length; ++i) base[behind + i] = i < many ? from[i] : T{};
  }
}
