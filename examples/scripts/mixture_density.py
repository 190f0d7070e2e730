"""A mixture density network: where one x has several y, predict their distribution."""

import math

import numpy as np
import torch
import torch.nn as nn

from start import begin

rng = np.random.default_rng(0)
y = rng.uniform(-1, 1, (200, 1))
x = 0.7 * np.sin(5 * y) + 0.5 * y + rng.normal(scale=0.05, size=y.shape)
x, y = torch.from_numpy(x), torch.from_numpy(y)


class MDN(nn.Module):
    def __init__(self, hidden=24, mixtures=4):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(1, hidden), nn.SiLU())
        self.pi = nn.Linear(hidden, mixtures)
        self.mu = nn.Linear(hidden, mixtures)
        self.sigma = nn.Linear(hidden, mixtures)

    def forward(self, x):
        h = self.body(x)
        sigma = nn.functional.softplus(self.sigma(h))
        return self.pi(h).log_softmax(-1), self.mu(h), sigma


def negative_log_likelihood(log_pi, mu, sigma, y):
    normal = -0.5 * ((y - mu) / sigma) ** 2 - sigma.log() - 0.5 * math.log(2 * math.pi)
    return -torch.logsumexp(log_pi + normal, dim=1).mean()


torch.manual_seed(0)
net = MDN().double()
begin(net)
optimizer = torch.optim.NAdam(net.parameters(), lr=0.003)
for step in range(201):
    loss = negative_log_likelihood(*net(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 10 == 0:
        print(f"step {step} loss {loss.item():.6f}")
