"""A physics-informed network solves u'' = -u with u(0) = 0 and u'(0) = 1."""

import torch
from torch import nn

from start import begin

torch.manual_seed(0)
net = nn.Sequential(
    nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 1)
)
begin(net)
optimizer = torch.optim.Adam(net.parameters(), lr=0.005)
t = torch.linspace(0, 2, 32).view(-1, 1)


def derivative(y, x):
    return torch.autograd.grad(y, x, torch.ones_like(y), create_graph=True)[0]


for step in range(201):
    x = t.clone().requires_grad_(True)
    u = net(x)
    du = derivative(u, x)
    ddu = derivative(du, x)
    physics = (ddu + u).pow(2).mean()
    boundary = u[0].pow(2).sum() + (du[0] - 1).pow(2).sum()
    loss = physics + boundary
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 10 == 0:
        print(f"step {step} loss {loss.item():.6f}")
print(f"off from sin(t) by {(net(t) - torch.sin(t)).abs().max().item():.2f}")
