"""A small network learns from a large one: soft targets by KL divergence."""

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from start import begin

rng = np.random.default_rng(0)
x = torch.from_numpy(rng.normal(size=(256, 10))).float()
y = (x[:, :4].argmax(1) + (x[:, 4] > 0)) % 4


def network(width):
    return nn.Sequential(
        nn.Linear(10, width, bias=False),
        nn.BatchNorm1d(width),
        nn.ReLU(),
        nn.Linear(width, 4),
    )


torch.manual_seed(0)
teacher, student = network(64), network(8)
begin(teacher, student)
optimizer = torch.optim.Adamax(teacher.parameters(), lr=0.02)
for _ in range(60):
    optimizer.zero_grad()
    F.cross_entropy(teacher(x), y).backward()
    optimizer.step()
teacher.eval().requires_grad_(False)

optimizer = torch.optim.RAdam(student.parameters(), lr=0.02)
T = 2.0
for step in range(121):
    chosen = slice(step % 4 * 64, step % 4 * 64 + 64)
    with torch.no_grad():
        soft = F.softmax(teacher(x[chosen]) / T, dim=1)
    scores = student(x[chosen])
    kl = F.kl_div(F.log_softmax(scores / T, dim=1), soft, reduction="batchmean") * T * T
    loss = 0.7 * kl + 0.3 * F.cross_entropy(scores, y[chosen])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 10 == 0:
        print(f"step {step} loss {loss.item():.6f}")
