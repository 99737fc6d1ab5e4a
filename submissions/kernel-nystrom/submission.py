"""A kernel machine on some of the training inputs: all of it is evaluated for every input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import sparsebench as sb
from sparsebench import ops

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

WIDTHS = (0.03, 0.1, 0.3, 1.0, 3.0)  # of exp(-w |x - c|^2 / s), s the mean squared distance of two inputs
RIDGES = (1e-8, 1e-6, 1e-4, 1e-2)  # penalties, of the mean of the Gram matrix's diagonal
CHOSEN_ON = 4096  # training samples that widths and ridges are chosen with
NUMBER = 1e-12  # of the largest eigenvalue: below, the centres' kernel matrix is rounding


class KernelNystrom(sb.Submission):
    """Gaussian kernels around m training inputs, with a readout by ridge regression.

    Parameters
    ----------
    task
        Public facts of the task: whether labels are classes, of which there may be two.
    centres
        Kernels (m).
    """

    def __init__(self, task: sb.TaskInfo, *, centres: int) -> None:
        self.centres = centres
        self.classes = task.classes

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Draw centres; width and ridge are those that are best on the validation samples.

        Returns
        -------
        dict of str to numpy.ndarray
            is the exponential of directions x + offsets, times one of x; ``readout`` ``(m,)``; ``rate`` and
            ``intercept`` ``(1,)``.
            ``rate`` and ``intercept`` ``(1,)``.
        """
        x, y = train.x.astype(np.float64), train.y.astype(np.float64)
        mean = y.mean()
        centres = x[rng.permutation(len(x))[: self.centres]]
        scale = 2.0 * float(np.sum(np.var(x, axis=0)))
        some = rng.permutation(len(x))[:CHOSEN_ON]
        seen = valid.x.astype(np.float64)
        trials = []
        for width in WIDTHS:
            machine = Machine.of(centres, width / scale)
            features, own = machine.features(x[some]), machine.features(seen)
            for ridge, readout in zip(RIDGES, readouts(features, y[some] - mean, RIDGES), strict=True):
                off = float(np.mean((own @ readout + mean - valid.y) ** 2))
                trials.append((off, len(trials), width, ridge))
        _, _, width, ridge = min(trials)
        machine = Machine.of(centres, width / scale)
        (readout,) = readouts(machine.features(x), y - mean, (ridge,))
        return {
            "directions": machine.directions,
            "offsets": machine.offsets,
            "rate": np.array([machine.rate]),
            "readout": readout,
            "intercept": np.array([mean]),
        }

    def predict(self, params: dict[str, Any], x: Any) -> Any:
        """Evaluate every kernel for every input: ``(n,)`` float64, or the nearest class, int64."""
        xp = x.__array_namespace__()
        kernels = xp.exp(x @ params["directions"].T + params["offsets"])
        far = xp.exp(xp.sum(x * x, axis=1) * params["rate"])
        total = (kernels @ params["readout"]) * far + params["intercept"]
        return total if self.classes is None else ops.quantize(total + 0.5, levels=self.classes)


class Machine(NamedTuple):
    """Gaussian kernels: exp(-r |x - c|^2) is exp(2 r c x - r |c|^2) exp(-r |x|^2)."""

    directions: Floats
    """2 r c, ``(m, d)``."""
    offsets: Floats
    """-r |c|^2, ``(m,)``."""
    rate: float
    """-r."""

    @classmethod
    def of(cls, centres: Floats, rate: float) -> Machine:
        """Return the kernels around centres ``(m, d)``."""
        return cls(2.0 * rate * centres, -rate * np.sum(centres**2, axis=1), -rate)

    def features(self, x: Floats) -> Floats:
        """Evaluate the kernels: ``(n, m)``."""
        far = self.rate * np.sum(x**2, axis=1)
        return np.exp(x @ self.directions.T + self.offsets + far[:, None])


def readouts(features: Floats, y: Floats, ridges: tuple[float, ...]) -> list[Floats]:
    """Solve ridge regressions of several penalties, by one decomposition.

    Parameters
    ----------
    features
        ``(n, m)``.
    y
        Centred labels ``(n,)``.
    ridges
        Penalties, in units of the mean of the diagonal of the Gram matrix.

    Returns
    -------
    list of numpy.ndarray
        ``(m,)`` each.
    """
    values, vectors = np.linalg.eigh(features.T @ features)
    along = vectors.T @ (features.T @ y)
    least = values[-1] * NUMBER
    unit = float(np.mean(values))
    kept = values > least
    return [np.asarray(vectors[:, kept] @ (along[kept] / (values[kept] + ridge * unit))) for ridge in ridges]
