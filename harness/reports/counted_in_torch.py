"""The two networks as torch modules, in the same styles and with the same weights as under the meter."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from reports.counted_networks import EXPERTS, exit_network, routed_network


def _linear(weights: np.ndarray) -> nn.Linear:
    outputs, features = weights.shape
    layer = nn.Linear(features, outputs, bias=False, dtype=torch.float64)
    layer.weight = nn.Parameter(torch.from_numpy(weights.copy()), requires_grad=False)
    return layer


class Expert(nn.Module):
    """Two linear layers. The ReLU is a function: some counters charge for the module ``nn.ReLU``."""

    def __init__(self, up, down):
        super().__init__()
        self.up, self.down = _linear(up), _linear(down)

    def forward(self, x):
        return self.down(torch.relu(self.up(x)))


class WithModules(nn.Module):
    """A router, and a module per expert."""

    def __init__(self):
        super().__init__()
        weights, _ = routed_network()
        self.router = _linear(weights.router)
        self.experts = nn.ModuleList(map(Expert, weights.up, weights.down))


class WithTables(nn.Module):
    """A router, and the weights of all experts in two tables."""

    def __init__(self):
        super().__init__()
        weights, _ = routed_network()
        self.router = _linear(weights.router)
        self.register_buffer("up", torch.from_numpy(weights.up.copy()))
        self.register_buffer("down", torch.from_numpy(weights.down.copy()))


def _chosen(outputs, index):
    one_hot = nn.functional.one_hot(index, EXPERTS).to(outputs.dtype)
    return (outputs * one_hot[:, :, None]).sum(dim=(1, 2))


class DenseModules(WithModules):
    """Every expert on every input, one after the other."""

    def forward(self, x):
        outputs = torch.stack([expert(x) for expert in self.experts], dim=1)
        return _chosen(outputs, self.router(x).argmax(dim=1))


class DenseStacked(WithTables):
    """Every expert on every input, at once."""

    def forward(self, x):
        hidden = torch.relu(torch.einsum("nd,ehd->neh", x, self.up))
        return _chosen(torch.einsum("neh,emh->nem", hidden, self.down), self.router(x).argmax(dim=1))


class Gathered(WithTables):
    """The weights of every input's expert, gathered, and a batched product."""

    def forward(self, x):
        index = self.router(x).argmax(dim=1)
        hidden = torch.relu(torch.bmm(self.up[index], x[:, :, None]))
        return torch.bmm(self.down[index], hidden)[:, :, 0].sum(dim=1)


class Loop(WithModules):
    """Expert after expert, each on its own inputs."""

    def forward(self, x):
        index = self.router(x).argmax(dim=1)
        out = torch.zeros(len(x), dtype=x.dtype)
        for number, expert in enumerate(self.experts):
            rows = index == number
            out[rows] = expert(x[rows]).sum(dim=1)
        return out


@torch.library.custom_op("sparsebench_bench::grouped_mlp", mutates_args=())
def grouped_mlp(x: torch.Tensor, index: torch.Tensor, up: torch.Tensor, down: torch.Tensor) -> torch.Tensor:
    """Stand for a fused kernel: its inside is no business of the dispatcher."""
    hidden = np.maximum(np.einsum("nhd,nd->nh", up.numpy()[index.numpy()], x.numpy()), 0)
    return torch.from_numpy(np.einsum("nmh,nh->nm", down.numpy()[index.numpy()], hidden))


class Fused(WithTables):
    """The experts as one custom operation."""

    def forward(self, x):
        return grouped_mlp(x, self.router(x).argmax(dim=1), self.up, self.down).sum(dim=1)


class RawKernel(WithTables):
    """Everything outside of torch, on the memory of its tensors."""

    def forward(self, x):
        index = np.argmax(x.detach().numpy() @ self.router.weight.detach().numpy().T, axis=1)
        hidden = np.maximum(np.einsum("nhd,nd->nh", self.up.numpy()[index], x.detach().numpy()), 0)
        return torch.from_numpy(np.einsum("nmh,nh->n", self.down.numpy()[index], hidden))


class EarlyExit(nn.Module):
    """Three stages, each with a head."""

    def __init__(self):
        super().__init__()
        weights, _ = exit_network()
        self.stages = nn.ModuleList(map(_linear, weights.stages))
        self.heads = nn.ModuleList(map(_linear, weights.heads))
        self.register_buffer("thresholds", torch.from_numpy(weights.thresholds.copy()))

    def steps(self):
        return zip(self.stages, self.heads, self.thresholds, strict=True)


class ExitRows(EarlyExit):
    """After every stage keep only the inputs that go on."""

    def forward(self, x):
        out, index = torch.zeros(len(x), dtype=x.dtype), torch.arange(len(x))
        for stage, head, threshold in self.steps():
            x = torch.relu(stage(x))
            confidence = head(x).amax(dim=1)
            out[index] = confidence
            on = confidence < threshold
            index, x = index[on], x[on]
        return out


class ExitEach(EarlyExit):
    """Take the inputs one at a time; leave by `break`."""

    def forward(self, x):
        answers = []
        for row in range(len(x)):
            h = x[row : row + 1]
            for stage, head, threshold in self.steps():
                h = torch.relu(stage(h))
                confidence = head(h).amax(dim=1)
                if confidence >= threshold:
                    break
            answers.append(confidence)
        return torch.cat(answers)


class ExitSlowest(EarlyExit):
    """Stop when every input of the batch may leave."""

    def forward(self, x):
        out = torch.zeros(len(x), dtype=x.dtype)
        left = torch.zeros(len(x), dtype=torch.bool)
        for stage, head, threshold in self.steps():
            x = torch.relu(stage(x))
            confidence = head(x).amax(dim=1)
            out = torch.where(left, out, confidence)
            left = left | (confidence >= threshold)
            if left.all():
                break
        return out


STYLES = {
    "dense_modules": DenseModules,
    "dense_stacked": DenseStacked,
    "gathered": Gathered,
    "loop": Loop,
    "fused": Fused,
    "raw_kernel": RawKernel,
    "exit_rows": ExitRows,
    "exit_each": ExitEach,
    "exit_slowest": ExitSlowest,
}
"""Style -> the network in it, the same names as under the meter."""


def build(style: str) -> tuple[nn.Module, torch.Tensor]:
    """Return a new network of a style, and its inputs."""
    _, x = exit_network() if style.startswith("exit") else routed_network()
    return STYLES[style]().eval(), torch.from_numpy(x.copy())
