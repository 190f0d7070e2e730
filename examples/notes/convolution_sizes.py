"""Every argument of a convolution, and the size of what comes out."""

import torch

conv = torch.nn.Conv2d(
    in_channels=4,
    out_channels=6,
    kernel_size=3,
    stride=2,
    padding=1,
    dilation=2,
    groups=2,
    bias=True,
    padding_mode="zeros",
)
x = torch.zeros(1, 4, 13, 10)
size = [(n + 2 * 1 - 2 * (3 - 1) - 1) // 2 + 1 for n in x.shape[2:]]
print(conv, conv.weight.shape, conv(x).shape, size)
