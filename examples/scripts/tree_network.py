"""A recursive network learns what trees of "and", "or" and "not" evaluate to."""

import random

import torch
from torch import nn
from torch.nn import functional as F

from start import begin

rng = random.Random(0)


def tree(depth):
    """A leaf, or a tuple of an operator and its operands."""
    if depth == 0 or rng.random() < 0.2:
        return rng.random() < 0.5
    operator = rng.choice(["and", "or", "not"])
    return (operator, *(tree(depth - 1) for _ in range(1 if operator == "not" else 2)))


def value(t):
    if isinstance(t, bool):
        return t
    operator, *operands = t
    found = [value(each) for each in operands]
    return {"and": all, "or": any, "not": lambda v: not v[0]}[operator](found)


class TreeNet(nn.Module):
    def __init__(self, width=12):
        super().__init__()
        self.leaves = nn.Embedding(2, width)
        self.operators = nn.ModuleDict(
            {
                "and": nn.Linear(2 * width, width),
                "or": nn.Linear(2 * width, width),
                "not": nn.Linear(width, width),
            }
        )
        self.out = nn.Linear(width, 2)

    def encode(self, t):
        if isinstance(t, bool):
            return self.leaves(torch.tensor(int(t)))
        operator, *operands = t
        inner = torch.cat([self.encode(each) for each in operands])
        return torch.tanh(self.operators[operator](inner))

    def forward(self, trees):
        return self.out(torch.stack([self.encode(t) for t in trees]))


torch.manual_seed(0)
net = TreeNet()
begin(net)
optimizer = torch.optim.RMSprop(net.parameters(), lr=5e-3)
trees = [tree(3) for _ in range(60)]
labels = torch.tensor([int(value(t)) for t in trees])
for step in range(101):
    at = step * 12 % 60
    loss = F.cross_entropy(net(trees[at : at + 12]), labels[at : at + 12])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 10 == 0:
        print(f"step {step} loss {loss.item():.6f}")
right = (net(trees).argmax(1) == labels).sum()
print(f"{right} of {len(trees)} trees right")
