"""`retain_grad` keeps the gradients of results, too."""

import torch

x = torch.tensor([[1, 2], [3, 4]], dtype=torch.double, requires_grad=True)
y = 2 * x + 1
z = y * y + 1
mean = z.mean()
for each in (x, y, z, mean):
    each.retain_grad()
mean.backward()
for each in (x, y, z, mean):
    print(each.grad)
