"""What one writes with PyTorch, and with a Triton product, for routed and merged layers on a GPU.

None of them waits for the device: numbers that the host must know (the padded capacity) are given to them.
"""

from __future__ import annotations


def _sorted(index, experts):
    """Sort rows by expert: their experts, their order, and where every expert ends."""
    import torch

    by_expert, order = torch.sort(index.to(torch.int16), stable=True)
    numbers = torch.arange(experts, device=index.device, dtype=torch.int16)
    ends = torch.searchsorted(by_expert, numbers, right=True, out_int32=True)
    return by_expert.long(), order, ends


def _scattered(rows, order):
    import torch

    out = torch.empty_like(rows)
    out[order] = rows
    return out


def grouped_mm_chain(x, index, layers):
    """Sort, gather, ``grouped_mm``, bias, relu, ``grouped_mm``, bias, scatter."""
    import torch

    grouped_mm = getattr(torch.nn.functional, "grouped_mm", None) or torch._grouped_mm
    by_expert, order, ends = _sorted(index, layers[0].shape[0])
    value = x[order]
    for place in range(0, len(layers), 2):
        value = grouped_mm(value, layers[place].transpose(-2, -1), offs=ends)
        value.add_(layers[place + 1][by_expert])
        value = value.relu_() if place + 2 < len(layers) else value
    return _scattered(value, order)


def padded_chain(x, index, layers, capacity):
    """Sort, gather into ``capacity`` rows for every expert, batched products, scatter."""
    import torch

    experts, d = layers[0].shape[0], x.shape[1]
    by_expert, order, ends = _sorted(index, experts)
    first = torch.nn.functional.pad(ends, (1, 0))[:-1].long()
    place_in = by_expert * capacity + torch.arange(len(order), device=x.device) - first[by_expert]
    value = x.new_zeros((experts * capacity, d))
    value[place_in] = x[order]
    value = value.view(experts, capacity, d)
    for place in range(0, len(layers), 2):
        value = torch.baddbmm(layers[place + 1][:, None], value, layers[place].transpose(1, 2))
        value = value.relu_() if place + 2 < len(layers) else value
    return _scattered(value.flatten(0, 1)[place_in], order)


def triton_chain(x, index, layers, precision, block_m):
    """Sort, gather, the products of ``triton_grouped`` with bias and relu in them, scatter."""
    from reports.triton_grouped import grouped_layer, tiles

    _, order, ends = _sorted(index, layers[0].shape[0])
    listed = tiles(ends, x.shape[0], block_m)
    value = x[order]
    for place in range(0, len(layers), 2):
        value = grouped_layer(
            *(value, listed, layers[place], layers[place + 1]),
            relu=place + 2 < len(layers),
            precision=precision,
            block_m=block_m,
        )
    return _scattered(value, order)


def merged_chain(x, gates, layers):
    """Average the parameters of every layer for every example, then batched products."""
    import torch

    value = x
    for place in range(0, len(layers), 2):
        weights = torch.einsum("ne,ehd->nhd", gates, layers[place])
        bias = gates @ layers[place + 1]
        value = torch.baddbmm(bias[:, None], value, weights.transpose(1, 2))
        value = value.relu_() if place + 2 < len(layers) else value
    return value
