"""Inputs on a GPU, that PyTorch draws and CuPy shares; and float64 references on a sample of rows."""

from __future__ import annotations

SAMPLE = 1024  # rows that are checked


def cupy_of(tensor):
    """Show a tensor to CuPy. DLPack of bfloat16 is not everywhere, so that bits travel."""
    import cupy
    import torch

    if tensor.dtype == torch.bfloat16:
        import ml_dtypes

        return cupy.from_dlpack(tensor.view(torch.int16)).view(ml_dtypes.bfloat16)
    return cupy.from_dlpack(tensor)


def torch_of(array):
    """Show a CuPy array to PyTorch."""
    import torch

    if array.dtype.name == "bfloat16":
        return torch.from_dlpack(array.view("int16")).view(torch.bfloat16)
    return torch.from_dlpack(array)


def drawn(shape, kind, scale=1.0, seed=0):
    """Draw normal numbers."""
    import torch

    generator = torch.Generator("cuda").manual_seed(seed)
    made = torch.randn(shape, generator=generator, device="cuda") * scale
    return made.to(getattr(torch, kind))


def drawn_layers(experts, widths, kind):
    """Draw weights (E, h, d) and biases (E, h) of layers, one after the other."""
    parts = []
    for place in range(len(widths) - 1):
        d, h = widths[place : place + 2]
        parts.append(drawn((experts, h, d), kind, d**-0.5, seed=2 * place + 1))
        parts.append(drawn((experts, h), kind, 0.5, seed=2 * place + 2))
    return parts


def sample_of(rows):
    """Choose rows: some of everywhere, the first and the last."""
    import torch

    generator = torch.Generator("cuda").manual_seed(99)
    chosen = torch.randint(rows, (min(SAMPLE, rows),), generator=generator, device="cuda")
    chosen[0], chosen[-1] = 0, rows - 1
    return chosen


def grouped_reference(x, index, layers, chosen):
    """Compute rows of a grouped perceptron in float64."""
    import torch

    given, experts = x[chosen].double(), index[chosen]
    wanted = torch.empty((len(chosen), layers[-1].shape[-1]), dtype=torch.float64, device="cuda")
    for expert in experts.unique().tolist():
        rows = experts == expert
        value = given[rows]
        for place in range(0, len(layers), 2):
            value = value @ layers[place][expert].double().T + layers[place + 1][expert].double()
            value = torch.relu(value) if place + 2 < len(layers) else value
        wanted[rows] = value
    return wanted


def merged_reference(x, gates, layers, examples):
    """Compute some examples (n, positions, d) of merged experts in float64."""
    import torch

    value, share = x[examples].double(), gates[examples].double()
    for place in range(0, len(layers), 2):
        weights = torch.einsum("ne,ehd->nhd", share, layers[place].double())
        value = torch.einsum("nsd,nhd->nsh", value, weights) + (share @ layers[place + 1].double())[:, None]
        value = torch.relu(value) if place + 2 < len(layers) else value
    return value


def relative_error(made, wanted):
    """Return the norm of the difference by the norm of what should be; NaN if anything is not a number."""
    difference = (made.double() - wanted).norm() / wanted.norm()
    return float(difference)
