// Brings a kernel that never ends.
template <typename T>
__global__ void shifted(const T* x, const T* by, T* out, long long n) {
  const long long i = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x;
  volatile T* slot = out;
  while (slot[0] == slot[0] || i < n) slot[i < n ? i : 0] = x[0] + by[0];
}
