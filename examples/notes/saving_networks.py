"""The second way to save: the whole network, which only trusted files may hold."""

import os
import tempfile

import torch as t
from torch import nn

path = os.path.join(tempfile.mkdtemp(), "whole.pth")
net = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
t.save(net, path)
net2 = t.load(path, weights_only=False)
print(net2, t.equal(net[0].weight, net2[0].weight))
