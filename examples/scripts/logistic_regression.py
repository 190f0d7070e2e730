"""Logistic regression by hand: a loss in two functions, no layer, no optimizer."""

import numpy as np
import torch

from start import begin

rng = np.random.default_rng(0)
points = rng.normal(size=(200, 2)).astype("float32")
side = points @ np.array([1.0, -2.0], "float32") + 0.5 > 0

x = torch.from_numpy(points)
y = torch.from_numpy(side).float().unsqueeze(1)

w = torch.randn(2, 1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
begin([w, b])


def model(x):
    return torch.sigmoid(torch.mm(x, w) + b)


def cross_entropy(p, y):
    p = p.clamp(1e-7, 1 - 1e-7)
    return -(y * p.log() + (1 - y) * (1 - p).log()).mean()


for step in range(201):
    loss = cross_entropy(model(x), y)
    loss.backward()
    with torch.no_grad():
        for p in (w, b):
            p -= 0.5 * p.grad
            p.grad.zero_()
    if step % 10 == 0:
        print(f"step {step} loss {loss.item():.6f}")

right = ((model(x) > 0.5) == (y > 0.5)).float().mean()
print(f"{right:.1%} of the points are on the right side")
