"""A module put into the dictionary of another is found by its name."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self._modules["inner"] = nn.Linear(2, 3)

    def forward(self, x):
        return self.inner(x)


net = Net()
print(net, [name for name, _ in net.named_parameters()])
print(net(torch.ones(1, 2)).shape)
