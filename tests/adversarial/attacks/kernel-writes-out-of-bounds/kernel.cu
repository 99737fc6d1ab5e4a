// Brings a kernel that writes far beyond its arrays.
template <typename T>
__global__ void shifted(const T* x, const T* by, T* out, long long n) {
  const long long i = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < n) out[i + (1ll << 33)] = x[i] + by[0];
}
