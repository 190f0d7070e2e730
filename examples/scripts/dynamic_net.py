"""A polynomial whose degree changes from step to step, its weights shared."""

import math
import random

import torch

from start import begin


class DynamicNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.a = torch.nn.Parameter(torch.randn(()))
        self.b = torch.nn.Parameter(torch.randn(()))
        self.c = torch.nn.Parameter(torch.randn(()))
        self.d = torch.nn.Parameter(torch.randn(()))
        self.e = torch.nn.Parameter(torch.randn(()))
        self.degrees = random.Random(0)

    def forward(self, x):
        y = self.a + self.b * x + self.c * x**2 + self.d * x**3
        for exp in range(4, self.degrees.randint(4, 6)):
            y = y + self.e * x**exp  # the same weight for x^4 and x^5
        return y

    def string(self):
        a, b, c, d, e = (p.item() for p in self.parameters())
        return f"y = {a:.2f} + {b:.2f} x + {c:.2f} x^2 + {d:.2f} x^3 + {e:.2f} x^4 ?"


x = torch.linspace(-1, 1, 200)
y = torch.sin(math.pi * x)
torch.manual_seed(0)
model = DynamicNet()
begin(model)
criterion = torch.nn.MSELoss(reduction="mean")
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
for step in range(201):
    loss = criterion(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 10 == 0:
        print(f"step {step} loss {loss.item():.6f}")
print(model.string())
