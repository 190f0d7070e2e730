"""Backward from a matrix takes a matrix of weights, here of another dtype."""

import torch

x = torch.tensor([[1, 2], [3, 4]], dtype=torch.double, requires_grad=True)
y = 2 * x + 1
z = y * y + 1
weights = torch.tensor([[0.5, 1], [2, 4]], dtype=torch.float)
z.backward(weights)
print(x.grad, torch.equal(x.grad, weights * 4 * y))
