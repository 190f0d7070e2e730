"""Pruned weights, watched by hooks: what a training looks like from inside."""

import numpy as np
import torch
from torch import nn
from torch.nn.utils import parameters_to_vector, prune
from torch.nn.utils.parametrizations import weight_norm

from start import begin

rng = np.random.default_rng(0)
x = torch.from_numpy(rng.normal(size=(128, 12))).float()
y = (x[:, :3].sum(1, keepdim=True) + 0.5 * x[:, 3:4] ** 2).detach()

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(12, 24), nn.Hardswish(), nn.Linear(24, 1))
begin(net)
prune.l1_unstructured(net[0], "weight", amount=0.5)
net[2] = weight_norm(net[2])

seen = {"activations": 0.0, "gradients": 0.0, "calls": 0}


def forward_hook(module, args, output):
    seen["activations"] += output.detach().abs().mean().item()
    seen["calls"] += 1


net[1].register_forward_hook(forward_hook)
net[0].weight_orig.register_hook(lambda g: g.clamp(-1, 1))
net[0].bias.register_post_accumulate_grad_hook(
    lambda p: seen.update(gradients=seen["gradients"] + p.grad.norm().item())
)
optimizer = torch.optim.Rprop(net.parameters(), lr=0.01)
for step in range(101):
    loss = nn.functional.smooth_l1_loss(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 10 == 0:
        print(f"step {step} loss {loss.item():.6f}")
zeros = (net[0].weight == 0).float().mean().item()
print(f"{zeros:.0%} of the weights are zero, {seen['calls']} calls")
print(len(parameters_to_vector(net.parameters())), "numbers learned")
