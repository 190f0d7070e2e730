"""A multilayer perceptron tells two spirals apart."""

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

from start import begin


def spirals(n):
    """Points of two spirals, and which of them each is on."""
    rng = np.random.default_rng(1)
    turn = np.sqrt(rng.random(n)) * 3 * np.pi
    which = rng.integers(0, 2, n)
    angle = turn + which * np.pi
    xy = np.stack([turn * np.cos(angle), turn * np.sin(angle)], 1) / 5
    return torch.tensor(xy, dtype=torch.float32), torch.tensor(which)


class MLP(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(2, width), nn.Tanh(),
            nn.Linear(width, width), nn.Tanh(),
        )  # fmt: skip
        self.out = nn.Linear(width, 2)

    def forward(self, x):
        return self.out(self.layers(x))


torch.manual_seed(0)
net = MLP(32)
begin(net)
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=10, gamma=0.5)

x, y = spirals(400)
loader = DataLoader(TensorDataset(x, y), batch_size=50)
step = 0
for epoch in range(20):
    for inputs, labels in loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(inputs), labels)
        loss.backward()
        optimizer.step()
        if step % 10 == 0:
            with torch.no_grad():
                whole = F.cross_entropy(net(x), y)
            print(f"step {step} loss {whole.item():.6f}")
        step += 1
    schedule.step()

right = (net(x).argmax(1) == y).float().mean()
print(net)
print(f"{right:.1%} right, last rate {schedule.get_last_lr()[0]:.5f}")
