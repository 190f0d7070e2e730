"""A siamese network by triplet loss: points of one cluster come together."""

import numpy as np
import torch
from torch import nn

from start import begin

rng = np.random.default_rng(0)
centers = rng.normal(size=(5, 16))


def sample(kinds):
    noisy = centers[kinds] + rng.normal(scale=0.9, size=(len(kinds), 16))
    return torch.as_tensor(noisy, dtype=torch.float32)


torch.manual_seed(0)
embed = nn.Sequential(nn.Linear(16, 32), nn.PReLU(), nn.Dropout(0.0), nn.Linear(32, 3))
begin(embed)
criterion = nn.TripletMarginLoss(margin=1.0)
optimizer = torch.optim.Adagrad(embed.parameters(), lr=0.03)
for step in range(121):
    kind = rng.integers(0, 5, 40)
    other = (kind + rng.integers(1, 5, 40)) % 5
    anchor, positive, negative = map(embed, map(sample, (kind, kind, other)))
    loss = criterion(anchor, positive, negative)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 10 == 0:
        print(f"step {step} loss {loss.item():.6f}")

with torch.no_grad():
    points = embed(sample(np.arange(5).repeat(10)))
    apart = torch.cdist(points, points) + 9e9 * torch.eye(50)
    nearest = apart.argmin(1) // 10
right = (nearest == torch.arange(5).repeat_interleave(10)).sum()
print(f"{right} of 50 beside their kind")
