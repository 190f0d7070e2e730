"""A linear layer by Parameter and functional.linear."""

import torch as t
from torch import nn
from torch.nn import functional as F


class MyLinear(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(t.arange(12.0).view(3, 4))
        self.bias = nn.Parameter(t.zeros(3))

    def forward(self, input):
        return F.linear(input, self.weight, self.bias)


layer = MyLinear()
print([(name, p.shape) for name, p in layer.named_parameters()])
print(layer(t.ones(2, 4)).detach())
