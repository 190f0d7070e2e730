"""A neural ODE: the right-hand side of a spiral's equation, through Runge-Kutta."""

import torch
from torch import nn

from start import begin

A = torch.tensor([[-0.1, 2.0], [-2.0, -0.1]])


class Flow(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 20), nn.Tanh(), nn.Linear(20, 2))

    def forward(self, y):
        return self.net(y**3)


def integrate(f, y, steps, h=0.1):
    """Runge and Kutta's method of order 4; all states, the first one too."""
    states = [y]
    for _ in range(steps):
        k1 = f(y)
        k2 = f(y + h / 2 * k1)
        k3 = f(y + h / 2 * k2)
        k4 = f(y + h * k3)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        states.append(y)
    return torch.stack(states)  # (T, N, 2)


with torch.no_grad():
    truth = integrate(lambda y: (y**3) @ A, torch.tensor([[2.0, 0.0]]), 100)[:, 0]

torch.manual_seed(0)
func = Flow()
begin(func)
for m in func.net.modules():
    if isinstance(m, nn.Linear):
        nn.init.constant_(m.bias, val=0)
optimizer = torch.optim.RMSprop(func.parameters(), lr=2e-3, momentum=0.5)
for step in range(101):
    at = (torch.arange(16) * 7 + step * 13) % 90
    path = integrate(func, truth[at], 8)
    wanted = torch.stack([truth[at + n] for n in range(9)])
    loss = (path - wanted).abs().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 10 == 0:
        print(f"step {step} loss {loss.item():.6f}")
