"""Checks of labels and domains: whether there is something to predict, and something to learn it from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from sparsebench.tasks.records import Instance, InstanceSpec, Split

__all__ = ["check_domains", "check_labels"]

_LARGEST_SHARE = 0.5
"""The largest share of the labels that one real value may make up."""


def check_labels(
    metric: str, spec: InstanceSpec, distinct: Mapping[str, Split], instance: Instance
) -> tuple[bool, str]:
    """Check labels: real ones vary; every class can be learnt, and the test split has more than one.

    Parameters
    ----------
    metric
        The task's metric.
    spec, instance
        The declaration, and the loaded data.
    distinct
        The splits by name; splits of one file count once.

    Returns
    -------
    ok, detail
    """
    if metric == "accuracy" and spec.classes is None:
        return False, "metric 'accuracy' needs classes; set target_dtype = \"int64\" and classes in task.toml"
    if spec.classes is not None:
        return _classes(spec.classes, instance.train.y, instance.test.y)
    details = []
    for name, split in distinct.items():
        values, counts = np.unique(split.y, return_counts=True)
        share, value = counts.max() / len(split), values[counts.argmax()]
        if len(values) == 1:
            return False, f"all labels of {name} are {value}: there is nothing to predict; change the target"
        if share > _LARGEST_SHARE:
            what = f"{share:.1%} of the labels of {name} are {value}, expected at most {_LARGEST_SHARE:.0%}"
            return False, f"{what}: a constant answers them; change the target, or make it classes"
        details.append(f"{name} std {split.y.astype(np.float64).std():.3g}, commonest value {share:.2%}")
    return True, "; ".join(details)


def _classes(classes: int, train: NDArray[np.int64], test: NDArray[np.int64]) -> tuple[bool, str]:
    # Loading has checked that labels are from 0 to classes - 1.
    learnt, asked = (np.bincount(y, minlength=classes) for y in (train, test))
    lacking = np.flatnonzero(learnt == 0)
    if lacking.size:
        listed = ", ".join(map(str, lacking[:10].tolist()))
        what = f"train has no row of {lacking.size} of {classes} classes: {listed}"
        return False, f"{what}; add rows, or lower classes and number them anew"
    if np.count_nonzero(asked) == 1:
        return False, f"all labels of test are {asked.argmax()}: there is nothing to predict; add rows"
    shares = asked / asked.sum()
    told = f"smallest share in test {shares.min():.1%}, largest {shares.max():.1%}"
    return True, f"every one of {classes} classes is in train; {told}"


def check_domains(spec: InstanceSpec, distinct: Mapping[str, Split]) -> tuple[bool, str]:
    """Check that every domain has rows in each split, and report how even its classes are.

    Returns
    -------
    ok, detail
    """
    for name, split in distinct.items():
        assert split.tag is not None, "domains are declared exactly where files have tags"
        rows = np.bincount(split.tag, minlength=len(spec.domains))
        lacking = [spec.domains[domain] for domain in np.flatnonzero(rows == 0)]
        if lacking:
            what = f"{name} has no row of {len(lacking)} of {len(spec.domains)} domains: {', '.join(lacking)}"
            return False, f"{what}; add rows, or remove the domain and number tags anew"
    told = f"every one of {len(spec.domains)} domains is in {', '.join(distinct)}"
    if spec.classes is None:
        return True, told
    return True, f"{told}; {_balance(spec, list(distinct.values())[-1])}"


def _balance(spec: InstanceSpec, test: Split) -> str:
    """Describe the commonest class's share of a domain, for the domains where it is smallest and largest."""
    assert test.tag is not None
    shares = {}
    for domain, name in enumerate(spec.domains):
        counts = np.bincount(test.y[test.tag == domain], minlength=spec.classes or 0)
        shares[name] = counts.max() / counts.sum()
    least, most = min(shares, key=shares.__getitem__), max(shares, key=shares.__getitem__)
    told = f"{shares[least]:.1%} of {least} to {shares[most]:.1%} of {most}"
    return f"the commonest class of a domain makes up from {told} in test"
