"""A small U-Net marks disks in noisy pictures."""

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from start import begin

rng = np.random.default_rng(0)


def disks(n, size=16):
    i, j = np.mgrid[:size, :size]
    at = rng.uniform(4, size - 4, (2, n, 1, 1))
    mask = np.hypot(i - at[0], j - at[1]) < rng.uniform(2, 4, (n, 1, 1))
    image = mask + rng.normal(scale=0.5, size=mask.shape)
    return torch.tensor(image[:, None]).float(), torch.tensor(mask[:, None]).float()


def double_conv(inputs, outputs):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="reflect"),
        nn.GroupNorm(2, outputs),
        nn.ReLU(inplace=True),
        nn.Conv2d(outputs, outputs, 3, padding=1),
        nn.ReLU(inplace=True),
    )


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down1, self.down2 = double_conv(1, 4), double_conv(4, 8)
        self.pool = nn.MaxPool2d(2)
        self.up = nn.ConvTranspose2d(8, 4, 2, stride=2)
        self.dec = double_conv(8, 4)
        self.out = nn.Conv2d(4, 1, 1)

    def forward(self, x):
        skip = self.down1(x)
        x = self.up(self.down2(self.pool(skip)))
        return self.out(self.dec(torch.cat([skip, x], dim=1)))


def dice(logits, mask):
    p = torch.sigmoid(logits)
    both = (p * mask).sum(dim=(1, 2, 3))
    return (1 - (2 * both + 1) / (p.sum((1, 2, 3)) + mask.sum((1, 2, 3)) + 1)).mean()


torch.manual_seed(0)
net = UNet()
begin(net)
optimizer = torch.optim.Adam(net.parameters(), lr=0.004)
images, masks = disks(40)
for step in range(101):
    chosen = slice(step % 5 * 8, step % 5 * 8 + 8)
    logits = net(images[chosen])
    bce = F.binary_cross_entropy_with_logits(logits, masks[chosen])
    loss = bce + dice(logits, masks[chosen])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 10 == 0:
        print(f"step {step} loss {loss.item():.6f}")
