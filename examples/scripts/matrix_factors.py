"""Matrix factorization recommends: users and films as vectors with biases."""

import numpy as np
import torch
import torch.nn as nn

from start import begin

rng = np.random.default_rng(0)
USERS, FILMS = 40, 30
taste, kind = rng.normal(size=(USERS, 3)), rng.normal(size=(FILMS, 3))
u, f = rng.integers(0, USERS, 600), rng.integers(0, FILMS, 600)
stars = torch.from_numpy(3 + (taste[u] * kind[f]).sum(1)).float().clamp(1, 5)
u, f = torch.from_numpy(u), torch.from_numpy(f)


class Factors(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.user, self.film = nn.Embedding(USERS, width), nn.Embedding(FILMS, width)
        self.user_bias, self.film_bias = nn.Embedding(USERS, 1), nn.Embedding(FILMS, 1)
        self.mean = nn.Parameter(torch.tensor(2.0))
        for e in (self.user, self.film, self.user_bias, self.film_bias):
            nn.init.normal_(e.weight, std=0.1)

    def forward(self, u, f):
        dot = torch.einsum("nd,nd->n", self.user(u), self.film(f))
        return dot + (self.user_bias(u) + self.film_bias(f)).squeeze() + self.mean


torch.manual_seed(0)
model = Factors()
begin(model)
optimizer = torch.optim.Adam(model.parameters(), lr=0.03, weight_decay=1e-4)
for step in range(121):
    chosen = torch.arange(step * 100, step * 100 + 100) % 500
    loss = nn.functional.mse_loss(model(u[chosen], f[chosen]), stars[chosen])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 10 == 0:
        print(f"step {step} loss {loss.item():.6f}")

with torch.no_grad():
    new = (model(u[500:], f[500:]) - stars[500:]).abs().mean()
print(f"off by {new:.1f} stars where nobody has asked yet")
