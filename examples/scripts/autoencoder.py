"""A denoising autoencoder with convolutions and transposed convolutions."""

import numpy as np
import torch
from torch import nn

from start import begin

rng = np.random.default_rng(0)
i, j = np.mgrid[:16, :16]
angle = rng.uniform(0, np.pi, (96, 1, 1))
clean = np.cos(i * np.cos(angle) + j * np.sin(angle))[:, None]
noisy = clean + rng.normal(scale=0.5, size=clean.shape)
clean, noisy = (torch.from_numpy(each).float() for each in (clean, noisy))


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.ELU(),
            nn.Conv2d(8, 12, 3, stride=2, padding=1), nn.ELU(),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(12, 8, 3, stride=2, padding=1, output_padding=1),
            nn.ELU(),
            nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
            nn.Conv2d(8, 1, 3, padding=1),
            nn.Tanh(),
        )

    def forward(self, x):
        return self.decoder(self.encoder(x))


torch.manual_seed(0)
net = Autoencoder()
begin(net)
optimizer = torch.optim.Adam(net.parameters(), lr=0.005)
plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=4, factor=0.5)
for step in range(101):
    chosen = slice(step % 6 * 16, step % 6 * 16 + 16)
    loss = nn.functional.mse_loss(net(noisy[chosen]), clean[chosen])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 10 == 0:
        plateau.step(loss.item())
        print(f"step {step} loss {loss.item():.6f}")
