// Where a number of an array of rows is: divided by 32 bits where that is enough, which is several times as fast.
#pragma once
#include "common.cuh"

struct row_and_column {
  long long row;
  int column;
};

__device__ __forceinline__ row_and_column place_in_rows(long long at, int width) {
  if (at >> 32) return {at / width, int(at % width)};
  const unsigned row = unsigned(at) / unsigned(width);
  return {(long long)row, int(unsigned(at) - row * unsigned(width))};
}
