"""The same network as a Sequential and as a Module."""

import torch
from torch import nn

seq_net = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))


class ModuleNet(nn.Module):
    def __init__(self, inputs, hidden, outputs):
        super().__init__()
        self.layer1 = nn.Linear(inputs, hidden)
        self.layer2 = nn.Tanh()
        self.layer3 = nn.Linear(hidden, outputs)

    def forward(self, x):
        return self.layer3(self.layer2(self.layer1(x)))


module_net = ModuleNet(2, 4, 1)
with torch.no_grad():
    for p, q in zip(seq_net.parameters(), module_net.parameters()):
        q.copy_(p)
x = torch.tensor([[0.5, -1.0], [2.0, 0.25]])
print(seq_net, module_net)
print(torch.equal(seq_net(x), module_net(x)), seq_net[0].weight.shape)
