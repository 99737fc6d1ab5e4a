"""Gradient descent on two threads."""

import numpy as np

import sparsebench as sb


class Honest(sb.Submission):
    def __init__(self, task, **settings):
        pass

    def fit(self, train, valid, rng):
        import torch

        torch.set_num_threads(2)
        torch.manual_seed(int(rng.integers(1 << 31)))
        x, y = torch.from_numpy(train.x.astype(np.float32)), torch.from_numpy(train.y.astype(np.float32))
        model = torch.nn.Sequential(torch.nn.Linear(x.shape[1], 64), torch.nn.ReLU(), torch.nn.Linear(64, 1))
        optimizer = torch.optim.Adam(model.parameters())
        for _ in range(20):
            optimizer.zero_grad()
            loss = ((model(x)[:, 0] - y) ** 2).mean()
            loss.backward()
            optimizer.step()
        big = torch.ones(512, 512)
        assert torch.get_num_threads() == 2
        return {
            "w": np.zeros(4),
            "first": model[0].weight.detach().numpy().copy(),
            "big": (big @ big).numpy()[:1],
        }

    def predict(self, params, x):
        return x @ params["w"]
