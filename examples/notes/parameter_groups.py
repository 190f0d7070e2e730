"""Two parts of a network that learn at different rates."""

import torch
from torch import nn, optim


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Linear(2, 3)
        self.classifier = nn.Linear(3, 1)

    def forward(self, x):
        return self.classifier(self.features(x))


net = Net()
for p in net.parameters():
    nn.init.constant_(p, 0.5)
groups = [
    {"params": net.features.parameters()},
    {"params": net.classifier.parameters(), "lr": 1e-2},
]
optimizer = optim.SGD(groups, lr=1e-5)
net(torch.ones(1, 2)).sum().backward()
optimizer.step()
for group in optimizer.param_groups:
    group["lr"] *= 0.1
print(optimizer)
print([(0.5 - p.detach()) * 1e4 for p in net.parameters()])
