"""The device of the tests: it must find what is wrong with a kernel, or its tests would show nothing."""

from __future__ import annotations

import numpy as np
import pytest

from cuda import shim
from cuda.shim import KernelError, ShimDevice
from sparsebench.ops.gpu.device import c_type

pytestmark = pytest.mark.skipif(shim.MISSING is not None, reason=str(shim.MISSING))

REVERSE = """
#include "common.cuh"
__global__ void reverse(const float* x, float* y) {
  DYN_SHARED(float, kept);
  kept[threadIdx.x] = x[threadIdx.x];
  BARRIER
  y[threadIdx.x] = kept[blockDim.x - 1 - threadIdx.x];
}
"""


def launch(source, args, *, block=64, shared=0, schedule=0, kernel="test"):
    ShimDevice(schedule, sources={"test.cu": source}).launch("test.cu", kernel, 1, block, args, shared)


def kernel(body, parameters="float* y"):
    return f'#include "common.cuh"\n__global__ void test({parameters}) {{ {body} }}'


def room(length, dtype=np.float32):
    return ShimDevice().empty(length, dtype)


def test_a_barrier_makes_all_schedules_equal():
    x = np.arange(64, dtype=np.float32)
    for schedule in range(4):
        y = room(64)
        launch(
            REVERSE.replace("BARRIER", "__syncthreads();"),
            (x, y),
            shared=256,
            schedule=schedule,
            kernel="reverse",
        )
        np.testing.assert_array_equal(y, x[::-1])


def test_a_missing_barrier_shows():
    x, found = np.arange(64, dtype=np.float32), []
    for schedule in range(4):
        y = room(64)
        launch(REVERSE.replace("BARRIER", ""), (x, y), shared=256, schedule=schedule, kernel="reverse")
        found.append(y.tobytes())
        assert np.isnan(y).any()  # what nobody has written yet is not a number
    assert len(set(found)) > 1


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("if (threadIdx.x < 32) __syncthreads();", "barrier"),
        ("if (threadIdx.x < 40) __syncthreads(); else __syncwarp();", "deadlock"),
        ("if (threadIdx.x & 1) return; y[0] = __shfl_sync(EVERY_LANE, 1.0f, 0);", "left the kernel"),
        ("if (threadIdx.x & 1) y[0] = __shfl_sync(0x55555555u, 1.0f, 0);", "its own mask"),
        ("if (threadIdx.x & 1) y[0] = __shfl_sync(0xaaaaaaaau, 1.0f, 0);", "not in the mask"),
        ("y[4] = 1.0f;", "SIGSEGV"),
        ("DYN_SHARED(float, kept); kept[threadIdx.x] = y[0];", "SIGSEGV"),
    ],
)
def test_what_cuda_forbids_is_an_error(body, what):
    with pytest.raises(KernelError, match=what):
        launch(kernel(body), (room(4),))


@pytest.mark.parametrize(
    ("parameters", "args", "what"),
    [
        ("float* y", (), "1 arguments"),
        ("float* y", (room(3, np.float64),), "wants pf4"),
        ("float* y", (np.zeros(3, np.float32),), "not the device's"),
        ("float* y", (room((4, 4))[:, 1],), "not dense"),
        ("int n", (3,), "wants si4"),
        ("int n", (np.int64(3),), "wants si4"),
        ("long long n", (np.uint64(3),), "wants si8"),
        ("float n", (None,), "wants sf4"),
        ("const half_t* x", (np.zeros(2, np.float32),), "wants cf2"),
    ],
)
def test_arguments_are_checked(parameters, args, what):
    with pytest.raises(KernelError, match=what):
        launch(kernel("", parameters), args)


def test_a_source_that_is_not_cpp_is_an_error():
    with pytest.raises(KernelError, match="refuses"):
        launch(kernel("nonsense;"), (None,))


def test_launches_are_limited_as_on_a_gpu():
    source = kernel("", "int n")
    with pytest.raises(KernelError, match="1024"):
        launch(source, (np.int32(0),), block=1025)
    with pytest.raises(KernelError, match="shared memory"):
        launch(source, (np.int32(0),), shared=228 << 10)
    with pytest.raises(KernelError, match="grid"):
        ShimDevice(sources={"test.cu": source}).launch("test.cu", "test", (1, 70000), 32, (np.int32(0),))
    ShimDevice(sources={"test.cu": source}).launch("test.cu", "test", 0, 32, ("nothing is launched",))


def test_dtypes_have_types():
    assert c_type(np.float32) == "float"
    assert c_type("uint8") == "unsigned char"
    with pytest.raises(TypeError, match="complex64"):
        c_type(np.complex64)


def test_halves_are_converted_as_numpy_does():
    body = "const int i = blockIdx.x * 256 + threadIdx.x; f[i] = to_real(h[i]); store(b, i, f[i]);"
    source = kernel(
        f"{body} store(r, i, g[i]);", "const half_t* h, float* f, half_t* b, const float* g, half_t* r"
    )
    halves = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    rng = np.random.default_rng(0)
    floats = (rng.normal(size=1 << 16) * 10.0 ** rng.uniform(-9, 6, size=1 << 16)).astype(np.float32)
    f, back, rounded = room(1 << 16), room(1 << 16, np.float16), room(1 << 16, np.float16)
    device = ShimDevice(sources={"test.cu": source})
    device.launch("test.cu", "test", 256, 256, (halves, f, back, floats, rounded))
    np.testing.assert_array_equal(f, halves.astype(np.float32))
    np.testing.assert_array_equal(back, halves)
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(rounded, floats.astype(np.float16))
