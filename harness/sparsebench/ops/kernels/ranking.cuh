// The k largest of many numbers, by a warp: lane l holds the l-th so far.
#pragma once
#include "common.cuh"

// Whether logit a of expert i comes before logit b of expert j: greater, or equal and of a lower number; NaN last.
// An expert below 0 is a place that is not taken.
template <typename R>
__device__ __forceinline__ bool outranks(R a, int i, R b, int j) {
  if (j < 0) return true;
  if (a != a) return b != b && i < j;
  if (b != b) return true;
  return a > b || (a == b && i < j);
}

// Lane l of a warp holds the row's l-th logit so far. Each lane brings one more; whichever of them rank among
// the first k are put in their places.
template <typename R>
__device__ __forceinline__ void rank_in(R& value, int& expert, R brought, int number, bool there, int k) {
  R limit = __shfl_sync(EVERY_LANE, value, k - 1);
  int limit_expert = __shfl_sync(EVERY_LANE, expert, k - 1);
  unsigned waiting = __ballot_sync(EVERY_LANE, there && outranks(brought, number, limit, limit_expert));
  while (waiting) {
    const int from = __ffs(int(waiting)) - 1;
    waiting &= waiting - 1;
    const R one = __shfl_sync(EVERY_LANE, brought, from);
    const int its = __shfl_sync(EVERY_LANE, number, from);
    const bool ahead = outranks(one, its, value, expert);
    const unsigned behind = __ballot_sync(EVERY_LANE, ahead);
    const R above = __shfl_up_sync(EVERY_LANE, value, 1);
    const int above_expert = __shfl_up_sync(EVERY_LANE, expert, 1);
    if (ahead) {
      const bool its_place = int(LANE) == __ffs(int(behind)) - 1;
      value = its_place ? one : above;
      expert = its_place ? its : above_expert;
    }
  }
}

// The same for the first 64: lane l holds the l-th and the (32 + l)-th; k is above 32.
template <typename R>
__device__ __forceinline__ void rank_in(R (&value)[2], int (&number)[2], R brought, int its_number, bool there, int k) {
  const R limit = __shfl_sync(EVERY_LANE, value[1], k - 33);
  const int limit_number = __shfl_sync(EVERY_LANE, number[1], k - 33);
  unsigned waiting = __ballot_sync(EVERY_LANE, there && outranks(brought, its_number, limit, limit_number));
  while (waiting) {
    const int from = __ffs(int(waiting)) - 1;
    waiting &= waiting - 1;
    const R one = __shfl_sync(EVERY_LANE, brought, from);
    const int its = __shfl_sync(EVERY_LANE, its_number, from);
    bool placed = false;
    R pushed = R(0);  // what leaves the first list for the second
    int pushed_number = -1;
#pragma unroll
    for (int list = 0; list < 2; ++list) {
      const bool ahead = outranks(one, its, value[list], number[list]);
      const unsigned behind = __ballot_sync(EVERY_LANE, ahead);
      const R last = __shfl_sync(EVERY_LANE, value[list], 31), above = __shfl_up_sync(EVERY_LANE, value[list], 1);
      const int last_number = __shfl_sync(EVERY_LANE, number[list], 31);
      const int above_number = __shfl_up_sync(EVERY_LANE, number[list], 1);
      if (ahead) {
        const bool its_place = !placed && int(LANE) == __ffs(int(behind)) - 1;
        value[list] = its_place ? one : LANE == 0 ? pushed : above;
        number[list] = its_place ? its : LANE == 0 ? pushed_number : above_number;
      }
      placed = placed || behind;
      pushed = last;
      pushed_number = last_number;
    }
  }
}
