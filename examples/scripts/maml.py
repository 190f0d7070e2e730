"""MAML: learn first weights from which one gradient step fits a new sine.

The gradient goes through the inner step, so it is of second order.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F

from start import begin

rng = np.random.default_rng(0)
torch.manual_seed(0)
sizes = [(24, 1), (24,), (24, 24), (24,), (1, 24), (1,)]
weights = [torch.randn(s) * (len(s) - 1) / math.sqrt(s[-1]) for s in sizes]
for w in weights:
    w.requires_grad_()
begin(weights)


def net(x, weights):
    w1, b1, w2, b2, w3, b3 = weights
    x = torch.tanh(F.linear(x, w1, b1))
    x = torch.tanh(F.linear(x, w2, b2))
    return F.linear(x, w3, b3)


def task():
    """A sine of some height and phase, at 20 points."""
    x = torch.from_numpy(rng.uniform(-3, 3, (20, 1))).float()
    return x, rng.uniform(0.5, 1.5) * torch.sin(x + rng.uniform(0, 1))


def adapted_loss(x, y):
    """The loss on half of the points, after a step on the other half."""
    loss = F.mse_loss(net(x[:10], weights), y[:10])
    grads = torch.autograd.grad(loss, weights, create_graph=True)
    faster = [w - 0.1 * g for w, g in zip(weights, grads)]
    return F.mse_loss(net(x[10:], faster), y[10:])


optimizer = torch.optim.Adam(weights, lr=0.005)
probe = [task() for _ in range(8)]
for step in range(101):
    if step % 10 == 0:
        known = sum(adapted_loss(x, y).detach() for x, y in probe) / len(probe)
        print(f"step {step} loss {known.item():.6f}")
    optimizer.zero_grad()
    for _ in range(3):
        adapted_loss(*task()).backward()
    optimizer.step()
