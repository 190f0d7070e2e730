"""Four linear layers, cross entropy and SGD, on something like handwritten digits."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

n = torch.arange(256 * 784).view(256, 784)
labels = torch.arange(256) % 10
digits = torch.sin(n * 0.37) + (n % 10 == labels.unsqueeze(1)).float()
train_data = DataLoader(TensorDataset(digits, labels), batch_size=64)

net = nn.Sequential(
    nn.Linear(784, 40), nn.ReLU(),
    nn.Linear(40, 30), nn.ReLU(),
    nn.Linear(30, 20), nn.ReLU(),
    nn.Linear(20, 10),
)  # fmt: skip
with torch.no_grad():
    for p in net.parameters():
        p.copy_(torch.cos(torch.arange(p.numel()) * 0.9).view_as(p) * 0.2)

criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
for epoch in range(5):
    for x, y in train_data:
        loss = criterion(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"{loss.item():.4f}")
