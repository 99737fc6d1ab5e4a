"""Arrays that cross the pipe."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

from sparsebench.errors import FailedError
from sparsebench.evaluate.host import payloads
from sparsebench.meter.values import DTYPES
from sparsebench.tasks import Split


@given(st.binary(max_size=64))
def test_any_bytes_are_a_model_or_an_error(payload: bytes) -> None:
    with contextlib.suppress(FailedError):
        assert isinstance(payloads.model(payload), dict)


@pytest.mark.parametrize("dtype", [name for name in DTYPES if not name.startswith("complex")])
def test_every_known_dtype_comes_through(dtype: str) -> None:
    sent = {"w": np.array([[0, 1], [1, 0]], dtype=dtype)}
    got = payloads.model(safetensors.numpy.save(sent))["w"]
    assert got.dtype == dtype
    assert np.array_equal(got, sent["w"])


@pytest.mark.parametrize(
    "sent",
    [
        {"w": np.zeros(1, dtype=np.float16)},
        {"w": np.zeros(1, dtype=np.complex64)},
        {f"a{number}": np.zeros(0) for number in range(4097)},
        {"a" * 65: np.zeros(1)},
    ],
    ids=["dtype", "complex", "many", "name"],
)
def test_other_models_are_refused(sent: dict[str, np.ndarray]) -> None:
    try:
        payload = safetensors.numpy.save(sent)
    except safetensors.SafetensorError:
        pytest.skip("safetensors before 0.7 writes no complex numbers: nobody can send such a model")
    with pytest.raises(FailedError, match="expected"):
        payloads.model(payload)


def test_names_have_64_characters_at_most() -> None:
    assert set(payloads.model(safetensors.numpy.save({"ü" * 64: np.zeros(1)}))) == {"ü" * 64}


def test_a_split_is_named_by_its_fields() -> None:
    split = Split(id=np.arange(2), x=np.zeros((2, 3), dtype=np.float32), y=np.zeros(2), tag=None)
    assert set(payloads.split("train", split)) == {"train.id", "train.x", "train.y"}
