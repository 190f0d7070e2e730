"""Two functions and an optimizer: points on two sides of a line."""

import torch
import torch.nn.functional as F

n = torch.arange(60.0)
x_data = torch.stack([torch.sin(n * 1.7), torch.cos(n * 2.3)], 1)
y_data = (x_data[:, :1] - x_data[:, 1:] > 0.1).float()
w = torch.zeros(2, 1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)


def logistic_regression(x):
    return F.sigmoid(torch.mm(x, w) + b)


def binary_loss(p, y):
    logs = y * p.clamp(1e-12).log() + (1 - y) * (1 - p).clamp(1e-12).log()
    return -logs.mean()


optimizer = torch.optim.SGD([w, b], lr=1.0)
for epoch in range(200):
    loss = binary_loss(logistic_regression(x_data), y_data)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if epoch % 50 == 0:
        print(f"{loss.item():.4f}")
print(w.data, b.data)
