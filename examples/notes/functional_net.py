"""Layers with parameters are modules, those without are functions."""

import torch
from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    def __init__(self):
        super(Net, self).__init__()
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = x.view(-1, 16 * 5 * 5)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


net = Net()
for p in net.parameters():
    with torch.no_grad():
        p.copy_(torch.linspace(-0.1, 0.12, p.numel()).view_as(p))
image = torch.linspace(-1, 1, 3 * 32 * 32).view(1, 3, 32, 32)
print(net)
print(net(image).detach())
