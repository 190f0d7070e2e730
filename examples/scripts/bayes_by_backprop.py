"""Bayes by backprop: weights of a regression that know how sure they are."""

import numpy as np
import torch
from torch import nn
from torch.distributions import Independent, Normal, kl_divergence

from start import begin

rng = np.random.default_rng(0)
x = torch.from_numpy(rng.uniform(-1, 1, (60, 3)))
y = x @ torch.tensor([1.0, -2.0, 0.0], dtype=torch.double)
y = y + 0.1 * torch.from_numpy(rng.normal(size=60))


class BayesianLinear(nn.Module):
    def __init__(self, inputs):
        super().__init__()
        self.mu = nn.Parameter(torch.zeros(inputs, dtype=torch.double))
        self.rho = nn.Parameter(torch.zeros(inputs, dtype=torch.double))
        self.prior = Independent(Normal(torch.zeros_like(self.mu), 1.0), 1)

    @property
    def posterior(self):
        return Independent(Normal(self.mu, nn.functional.softplus(self.rho)), 1)

    def forward(self, x):
        noise = torch.from_numpy(rng.normal(size=(8, *self.mu.shape)))
        weights = self.mu + nn.functional.softplus(self.rho) * noise  # (8, inputs)
        return x @ weights.t()


model = BayesianLinear(3)
begin(model)
optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
for step in range(201):
    likelihood = Normal(model(x), 0.1).log_prob(y[:, None]).sum(0).mean()
    loss = kl_divergence(model.posterior, model.prior) - likelihood
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 10 == 0:
        print(f"step {step} loss {loss.item():.6f}")

base = model.posterior.base_dist
for mean, std in zip(base.mean, base.stddev):
    print(f"weight {mean:.1f} +- {std:.2f}")
