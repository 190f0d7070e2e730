"""The first way to save: the weights, into a network made anew."""

import os
import tempfile

import torch as t
from torch import nn

path = os.path.join(tempfile.mkdtemp(), "net.pth")
net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
t.save(net.state_dict(), path)

net2 = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
print(net2.load_state_dict(t.load(path)))
pairs = zip(net.state_dict().items(), net2.state_dict().items())
print([(a[0], b[0], t.equal(a[1], b[1])) for a, b in pairs])
