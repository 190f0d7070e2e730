"""Three ways to write the same sequence of layers."""

from collections import OrderedDict

from torch import nn

one = nn.Sequential()
one.add_module("conv", nn.Conv2d(3, 3, 3))
one.add_module("norm", nn.BatchNorm2d(3))
one.add_module("activation", nn.ReLU())
two = nn.Sequential(nn.Conv2d(3, 3, 3), nn.BatchNorm2d(3), nn.ReLU())
named = [("conv", nn.Conv2d(3, 3, 3)), ("norm", nn.BatchNorm2d(3)), ("relu", nn.ReLU())]
three = nn.Sequential(OrderedDict(named))
for net in (one, two, three):
    print(net, list(net.state_dict()))
print(one.conv, two[0], three.relu)
