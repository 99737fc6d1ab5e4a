// Runs a subset of CUDA C++ on the processor, for tests:
//   g++ -std=c++17 -O2 -ffp-contract=off -shared -fPIC -x c++ -include cuda_on_cpu.h kernel.cu
//
// Blocks run one after another. Every CUDA thread is a fiber; barriers and the warp operations *_sync are points
// where it yields. The order in which warps and lanes go on between them is the *schedule*: 0 as they are
// numbered, 1 reversed, 2 and above shuffled. A kernel that is right gives the same bits in all of them. What
// cannot go on (a barrier that some threads never reach, a mask that names a lane that is gone) ends with a
// message. Dynamic shared memory is filled with NaNs before every block. A launch is a process of its own: what
// it does wrong is told to the caller, who goes on.
//
// Not here: cooperative groups, textures, asynchronous copies, and the weak order of memory between blocks.
#pragma once
#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>
#include <sys/wait.h>
#include <type_traits>
#include <unistd.h>
#include <utility>
#include <vector>

#define CUDA_ON_CPU 1
#define __global__
#define __device__
#define __host__
#define __constant__ static
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __align__(n) alignas(n)
#define __grid_constant__
#define __shared__ static  // one block at a time, so one copy is enough
#define __restrict__ __restrict
#define DYN_SHARED(T, name) T* name = reinterpret_cast<T*>(cpu::dynamic_shared)

struct uint3 {
  unsigned x, y, z;
};
struct dim3 {
  unsigned x, y, z;
};
struct alignas(8) float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(16) double2 {
  double x, y;
};
struct alignas(8) int2 {
  int x, y;
};
struct alignas(16) int4 {
  int x, y, z, w;
};
struct alignas(8) uint2 {
  unsigned x, y;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline double2 make_double2(double x, double y) { return {x, y}; }
inline int2 make_int2(int x, int y) { return {x, y}; }
inline int4 make_int4(int x, int y, int z, int w) { return {x, y, z, w}; }
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }

static const int warpSize = 32;
static uint3 threadIdx, blockIdx;
static dim3 blockDim, gridDim;

namespace cpu {

static const size_t STACK = (64 << 10) + 832;  // an odd stride: at equal ones all stacks share cache sets
static const unsigned MOST_THREADS = 1024;

// ---- switching between fibers --------------------------------------------------------------------------------

#if defined(__x86_64__) && !defined(CPU_UCONTEXT)
struct Context {
  void* stack;
};
extern "C" void cpu_switch(Context* from, Context* to);
// `jmp` instead of `ret`, whose target a processor would always predict wrongly here.
asm(R"(.text
.type cpu_switch,@function
cpu_switch:
 push %rbp; push %rbx; push %r12; push %r13; push %r14; push %r15
 mov %rsp,(%rdi)
 mov (%rsi),%rsp
 pop %r15; pop %r14; pop %r13; pop %r12; pop %rbx; pop %rbp; pop %rcx
 jmp *%rcx
.size cpu_switch,.-cpu_switch)");
inline void make_context(Context* context, char* stack, void (*entry)()) {
  void** top = reinterpret_cast<void**>(reinterpret_cast<uintptr_t>(stack + STACK) & ~uintptr_t(15));
  *--top = nullptr;  // where a function would find its return address: keeps the stack aligned
  *--top = reinterpret_cast<void*>(entry);
  for (int i = 0; i < 6; ++i) *--top = nullptr;
  context->stack = top;
}
#else
}  // namespace cpu
#include <ucontext.h>
namespace cpu {
struct Context {
  ucontext_t context;
};
inline void cpu_switch(Context* from, Context* to) { swapcontext(&from->context, &to->context); }
inline void make_context(Context* context, char* stack, void (*entry)()) {
  getcontext(&context->context);
  context->context.uc_stack.ss_sp = stack;
  context->context.uc_stack.ss_size = STACK;
  context->context.uc_link = nullptr;
  makecontext(&context->context, entry, 0);
}
#endif

// ---- the block that runs -------------------------------------------------------------------------------------

enum State : uint8_t { READY, AT_BARRIER, IN_WARP, DONE };

struct Meeting {  // of the lanes of one mask; two sets of slots, so that one rendezvous per operation is enough
  uint32_t mask = 0, arrived = 0;
  uint64_t generation = 0;
  uint64_t slot[2][32];
};
struct Fiber {
  Context context;
  uint3 index;
  unsigned number;
  State state;
};

static Fiber fibers[MOST_THREADS];
static std::vector<Meeting> meetings[MOST_THREADS / 32];
static uint32_t alive[MOST_THREADS / 32];
static Context scheduler;
static Fiber* current;
static unsigned threads, waiting, done, schedule;
static unsigned long long progress;
static char* dynamic_shared;
static void (*body)(void*);
static void* body_argument;
static int complaints = 2;

[[noreturn]] inline void die(const char* what) {
  dprintf(complaints, "%s (block %u,%u,%u thread %u)", what, blockIdx.x, blockIdx.y, blockIdx.z,
          current ? current->number : 0);
  _exit(70);
}
inline void yield(State state) {
  Fiber* fiber = current;
  fiber->state = state;
  cpu_switch(&fiber->context, &scheduler);
}
inline void fiber_main() {
  body(body_argument);
  alive[current->number >> 5] &= ~(1u << (current->number & 31));
  ++done;
  ++progress;
  yield(DONE);
  die("a thread went on after its end");
}
inline void block_barrier() {
  ++waiting;
  yield(AT_BARRIER);
}
// All lanes of the mask meet; gives the 32 values that they brought.
inline const uint64_t* warp_exchange(uint32_t mask, uint64_t value) {
  const unsigned warp = current->number >> 5, lane = current->number & 31;
  if (!(mask >> lane & 1)) die("a lane is not in its own mask");
  auto& known = meetings[warp];
  size_t which = 0;
  while (which < known.size() && known[which].mask != mask) ++which;
  if (which == known.size()) {
    known.emplace_back();
    known[which].mask = mask;
  }
  const uint64_t generation = known[which].generation;
  known[which].slot[generation & 1][lane] = value;
  known[which].arrived |= 1u << lane;
  if (known[which].arrived == mask) {  // the last one opens the gate and goes on
    known[which].arrived = 0;
    ++known[which].generation;
    ++progress;
  }
  while (known[which].generation == generation) {
    if (mask & ~alive[warp]) die("a mask names a lane that has left the kernel");
    yield(IN_WARP);
  }
  return known[which].slot[generation & 1];
}

static uint64_t random_state;
inline unsigned random_below(unsigned limit) {  // xorshift: only the order depends on it
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return unsigned(random_state % limit);
}
inline void shuffle(unsigned* order, unsigned length) {
  for (unsigned i = length; i > 1; --i) std::swap(order[i - 1], order[random_below(i)]);
}

inline void start_threads(char* stacks) {
  for (unsigned warp = 0; warp * 32 < threads; ++warp) {
    meetings[warp].clear();
    alive[warp] = 0;
  }
  waiting = done = 0;
  for (unsigned i = 0; i < threads; ++i) {
    fibers[i].number = i;
    fibers[i].state = READY;
    fibers[i].index = {i % blockDim.x, i / blockDim.x % blockDim.y, i / blockDim.x / blockDim.y};
    alive[i >> 5] |= 1u << (i & 31);
    make_context(&fibers[i].context, stacks + i * STACK, fiber_main);
  }
}
inline void run_warp(unsigned warp, const unsigned* lanes) {  // until it stalls
  for (unsigned long long before = progress - 1; before != progress;) {
    before = progress;
    for (unsigned i = 0; i < 32; ++i) {
      const unsigned number = warp * 32 + lanes[i];
      if (number >= threads || fibers[number].state == DONE || fibers[number].state == AT_BARRIER) continue;
      if (fibers[number].state == READY) ++progress;
      current = &fibers[number];
      threadIdx = current->index;
      cpu_switch(&scheduler, &current->context);
    }
  }
}
inline void run_block(char* stacks, uint64_t number) {
  const unsigned warps = (threads + 31) / 32;
  unsigned warp_order[MOST_THREADS / 32], lane_order[32];
  for (unsigned i = 0; i < warps; ++i) warp_order[i] = schedule == 1 ? warps - 1 - i : i;
  for (unsigned i = 0; i < 32; ++i) lane_order[i] = schedule == 1 ? 31 - i : i;
  random_state = (schedule * 7919ull + number + 1) * 0x9e3779b97f4a7c15ull;
  start_threads(stacks);
  while (done < threads) {
    const unsigned long long before = progress;
    if (schedule > 1) {
      shuffle(warp_order, warps);
      shuffle(lane_order, 32);
    }
    for (unsigned i = 0; i < warps; ++i) run_warp(warp_order[i], lane_order);
    if (waiting && waiting + done == threads) {
      if (done) die("a barrier that some threads of the block never reach: they have left the kernel");
      waiting = 0;
      ++progress;
      for (unsigned i = 0; i < threads; ++i) {
        if (fibers[i].state == AT_BARRIER) fibers[i].state = READY;
      }
    }
    if (progress == before) die("deadlock: a barrier or a mask that some threads never reach");
  }
}

// ---- launches ------------------------------------------------------------------------------------------------

struct Launch {
  unsigned grid[3], block[3];
  uint64_t shared;
  unsigned schedule;
};

inline void launch(const Launch& told, void (*what)(void*), void* argument) {
  gridDim = {told.grid[0], told.grid[1], told.grid[2]};
  blockDim = {told.block[0], told.block[1], told.block[2]};
  threads = blockDim.x * blockDim.y * blockDim.z;
  schedule = told.schedule;
  body = what;
  body_argument = argument;
  if (!threads || threads > MOST_THREADS) die("a block has 1 to 1024 threads");
  char* stacks = static_cast<char*>(mmap(nullptr, STACK * MOST_THREADS, PROT_READ | PROT_WRITE,
                                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  // What is beyond the end of shared memory faults.
  const size_t page = 4096, pages = (told.shared + page - 1) / page * page;
  char* memory =
      static_cast<char*>(mmap(nullptr, pages + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  mprotect(memory + pages, page, PROT_NONE);
  dynamic_shared = memory + (pages - (told.shared + 15) / 16 * 16);
  const uint64_t blocks = uint64_t(gridDim.x) * gridDim.y * gridDim.z;
  for (uint64_t i = 0; i < blocks; ++i) {
    const uint64_t block = told.schedule == 1 ? blocks - 1 - i : i;
    blockIdx = {unsigned(block % gridDim.x), unsigned(block / gridDim.x % gridDim.y),
                unsigned(block / gridDim.x / gridDim.y)};
    std::memset(dynamic_shared, 0xff, told.shared);
    run_block(stacks, block);
  }
}

// Runs `what` in a child; gives 0, or a positive exit code, or minus a signal. Complaints go to `said`.
inline int isolated(const Launch& told, void (*what)(void*), void* argument, char* said, size_t room) {
  int ends[2];
  if (pipe(ends)) return 71;
  const pid_t child = fork();
  if (child < 0) return 71;
  if (!child) {
    close(ends[0]);
    complaints = ends[1];
    for (int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) signal(number, SIG_DFL);
    launch(told, what, argument);
    _exit(0);
  }
  close(ends[1]);
  size_t length = 0;
  for (ssize_t got; length + 1 < room && (got = read(ends[0], said + length, room - 1 - length)) > 0;) length += got;
  said[length] = 0;
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

// ---- what Python asks about a kernel ---------------------------------------------------------------------------

template <class U, class = void>
struct plain_of {  // of a counted<T>: T
  typedef U type;
};
template <class U>
struct plain_of<U, std::void_t<typename U::plain>> {
  typedef typename U::plain type;
};
template <class U, class = void>
struct kind_of {  // NumPy's letter
  static constexpr char value = std::is_same_v<U, bool> ? 'b'
                                : std::is_floating_point_v<U> ? 'f'
                                : std::is_integral_v<U> ? (std::is_signed_v<U> ? 'i' : 'u')
                                                        : '?';
};
template <class U>
struct kind_of<U, std::void_t<decltype(U::numpy_kind)>> {
  static constexpr char value = U::numpy_kind;
};
template <class A>
int describe_parameter(char* out) {  // "cf4": c a pointer to constants, p a pointer, s a value; kind; bytes
  using Pointee = std::remove_pointer_t<A>;
  using Value = typename plain_of<std::remove_cv_t<Pointee>>::type;
  const char form = !std::is_pointer_v<A> ? 's' : std::is_const_v<Pointee> ? 'c' : 'p';
  return std::sprintf(out, "%c%c%zu ", form, kind_of<Value>::value, sizeof(Value));
}
template <class... A>
void describe(void (*)(A...), char* out) {
  *out = 0;
  (void)((out += describe_parameter<A>(out)), ...);
}
template <class... A>
struct Call {
  void (*kernel)(A...);
  void** arguments;
  template <size_t... I>
  void go(std::index_sequence<I...>) {
    kernel(*reinterpret_cast<std::remove_reference_t<A>*>(arguments[I])...);
  }
  static void trampoline(void* call) { static_cast<Call*>(call)->go(std::index_sequence_for<A...>{}); }
};
template <class... A>
int run(void (*kernel)(A...), const Launch* told, void** arguments, char* said, size_t room) {
  Call<A...> call{kernel, arguments};
  return isolated(*told, Call<A...>::trampoline, &call, said, room);
}

template <class T>
inline uint64_t to_bits(T value) {
  static_assert(sizeof(T) <= 8, "a warp exchanges numbers of up to 8 bytes");
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  return bits;
}
template <class T>
inline T from_bits(uint64_t bits) {
  T value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

}  // namespace cpu

#define EXPORT_KERNEL(symbol, ...)                                                                   \
  extern "C" int symbol##_run(const cpu::Launch* told, void** arguments, char* said, size_t room) { \
    return cpu::run(__VA_ARGS__, told, arguments, said, room);                                       \
  }                                                                                                  \
  extern "C" void symbol##_describe(char* out) { cpu::describe(__VA_ARGS__, out); }

// ---- CUDA's functions ------------------------------------------------------------------------------------------

#define CPU_LANE (cpu::current->number & 31)

inline void __syncthreads() { cpu::block_barrier(); }
inline void __syncwarp(unsigned mask = ~0u) { cpu::warp_exchange(mask, 0); }
inline void __threadfence() {}
inline void __threadfence_block() {}

// A lane outside the mask has brought nothing: reading from it is undefined on a GPU, and an end here.
template <class T>
T cpu_lane_value(const uint64_t* values, unsigned mask, int lane) {
  if (!(mask >> lane & 1)) cpu::die("a shuffle reads from a lane that is not in the mask");
  return cpu::from_bits<T>(values[lane]);
}
template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32) {
  const uint64_t* values = cpu::warp_exchange(mask, cpu::to_bits(value));
  const int lane = CPU_LANE;
  return cpu_lane_value<T>(values, mask, (lane & ~(width - 1)) | (source & (width - 1)));
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int with, int width = 32) {
  const uint64_t* values = cpu::warp_exchange(mask, cpu::to_bits(value));
  const int lane = CPU_LANE, other = lane ^ with;
  return cpu_lane_value<T>(values, mask, (other & ~(width - 1)) <= (lane & ~(width - 1)) ? other : lane);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned by, int width = 32) {
  const uint64_t* values = cpu::warp_exchange(mask, cpu::to_bits(value));
  const int lane = CPU_LANE;
  return cpu_lane_value<T>(values, mask, (lane & (width - 1)) + int(by) < width ? lane + int(by) : lane);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned by, int width = 32) {
  const uint64_t* values = cpu::warp_exchange(mask, cpu::to_bits(value));
  const int lane = CPU_LANE;
  return cpu_lane_value<T>(values, mask, (lane & (width - 1)) >= int(by) ? lane - int(by) : lane);
}
inline unsigned __ballot_sync(unsigned mask, int predicate) {
  const uint64_t* values = cpu::warp_exchange(mask, predicate != 0);
  unsigned found = 0;
  for (int i = 0; i < 32; ++i) {
    if (mask >> i & 1) found |= unsigned(values[i]) << i;
  }
  return found;
}
inline int __any_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) != 0; }
inline int __all_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) == mask; }

// One thread runs at a time: plain reads and writes are atomic.
template <class T>
T atomicAdd(T* at, T value) {
  const T old = *at;
  *at = T(old + value);
  return old;
}
template <class T>
T atomicMax(T* at, T value) {
  const T old = *at;
  if (value > old) *at = value;
  return old;
}
template <class T>
T atomicMin(T* at, T value) {
  const T old = *at;
  if (value < old) *at = value;
  return old;
}
template <class T>
T atomicExch(T* at, T value) {
  const T old = *at;
  *at = value;
  return old;
}
template <class T>
T atomicCAS(T* at, T expected, T value) {
  const T old = *at;
  if (old == expected) *at = value;
  return old;
}
template <class T>
T atomicOr(T* at, T value) {
  const T old = *at;
  *at = T(old | value);
  return old;
}
template <class T>
T __ldg(const T* at) {
  return *at;
}
inline int __popc(unsigned value) { return __builtin_popcount(value); }
inline int __popcll(unsigned long long value) { return __builtin_popcountll(value); }
inline int __clz(int value) { return value ? __builtin_clz(unsigned(value)) : 32; }
inline int __ffs(int value) { return __builtin_ffs(value); }
inline float __int_as_float(int bits) { return cpu::from_bits<float>(unsigned(bits)); }
inline int __float_as_int(float value) { return int(unsigned(cpu::to_bits(value))); }
inline float __uint_as_float(unsigned bits) { return cpu::from_bits<float>(bits); }
inline unsigned __float_as_uint(float value) { return unsigned(cpu::to_bits(value)); }
inline double __longlong_as_double(long long bits) { return cpu::from_bits<double>(uint64_t(bits)); }
inline long long __double_as_longlong(double value) { return (long long)cpu::to_bits(value); }
inline float rsqrtf(float value) { return 1.0f / std::sqrt(value); }
inline float __expf(float value) { return std::exp(value); }
inline float __fdividef(float a, float b) { return a / b; }
template <class T>
constexpr T min(T a, T b) {
  return b < a ? b : a;
}
template <class T>
constexpr T max(T a, T b) {
  return a < b ? b : a;
}
