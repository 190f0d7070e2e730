"""A residual network with batch normalization tells stripes from checks."""

import numpy as np
import torch
import torch.nn as nn

from start import begin


def textures(n):
    """Pictures (n, 1, 12, 12) of four textures in noise, and their labels."""
    rng = np.random.default_rng(0)
    i, j = np.mgrid[:12, :12]
    kinds = np.stack([i % 4 < 2, j % 4 < 2, (i + j) % 4 < 2, (i // 2 + j // 2) % 2 < 1])
    labels = rng.integers(0, 4, n)
    images = kinds[labels] + rng.normal(scale=0.7, size=(n, 12, 12))
    return torch.tensor(images[:, None], dtype=torch.float32), torch.tensor(labels)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False),
                nn.BatchNorm2d(outputs),
            )

    def forward(self, x):
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += self.shortcut(x)
        return self.relu(out)


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU())
        self.blocks = nn.Sequential(Block(8, 8), Block(8, 16, stride=2))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(16, 4)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x):
        x = self.pool(self.blocks(self.stem(x)))
        return self.fc(torch.flatten(x, 1))


torch.manual_seed(0)
net = ResNet()
begin(net)
criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=101)
images, labels = textures(160)

for step in range(101):
    chosen = torch.arange(step * 16, step * 16 + 16) % 160
    loss = criterion(net(images[chosen]), labels[chosen])
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    scheduler.step()
    if step % 10 == 0:
        print(f"step {step} loss {loss.item():.6f}")

net.eval()
with torch.no_grad():
    right = (net(images).max(1)[1] == labels).sum().item()
print(f"{right} of 160 right; {sum(p.numel() for p in net.parameters())} parameters")
