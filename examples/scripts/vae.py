"""A variational autoencoder of small pictures of rings, its noise drawn by NumPy."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from start import begin

rng = np.random.default_rng(0)


def rings(n):
    """Pictures (n, 144) of rings of any place and size."""
    i, j = np.mgrid[:12, :12]
    center = rng.uniform(4, 8, size=(2, n, 1, 1))
    radius = rng.uniform(2, 4, size=(n, 1, 1))
    far = np.hypot(i - center[0], j - center[1])
    return torch.from_numpy(np.exp(-((far - radius) ** 2)).reshape(n, 144)).float()


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(144, 64)
        self.fc21 = nn.Linear(64, 4)
        self.fc22 = nn.Linear(64, 4)
        self.fc3 = nn.Linear(4, 64)
        self.fc4 = nn.Linear(64, 144)

    def encode(self, x):
        h = F.relu(self.fc1(x))
        return self.fc21(h), self.fc22(h)

    def reparameterize(self, mu, logvar):
        std = torch.exp(0.5 * logvar)
        eps = torch.from_numpy(rng.normal(size=std.shape)).to(std)
        return mu + eps * std

    def decode(self, z):
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z))))

    def forward(self, x):
        mu, logvar = self.encode(x)
        return self.decode(self.reparameterize(mu, logvar)), mu, logvar


def loss_function(recon_x, x, mu, logvar):
    bce = F.binary_cross_entropy(recon_x, x, reduction="sum")
    kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return (bce + kld) / len(x)


torch.manual_seed(0)
model = VAE()
begin(model)
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
data = rings(256)
for step in range(151):
    batch = data[step % 4 * 64 : step % 4 * 64 + 64]
    optimizer.zero_grad()
    recon_batch, mu, logvar = model(batch)
    loss = loss_function(recon_batch, batch, mu, logvar)
    loss.backward()
    optimizer.step()
    if step % 10 == 0:
        print(f"step {step} loss {loss.item():.6f}")

with torch.no_grad():
    picture = model.decode(torch.zeros(1, 4)).view(12, 12)
for row in picture:
    print("".join(" .:#"[int(3.99 * v)] for v in row))
