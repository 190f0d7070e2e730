"""A generative adversarial network learns where points of a plane lie.

The loss that is printed is how far the mean and the spread of what the generator makes
are from those of the data.
"""

import numpy as np
import torch
import torch.nn as nn

from start import begin

rng = np.random.default_rng(0)


def real(n):
    """Points around (2, -1)."""
    points = rng.normal(size=(n, 2)) * [0.6, 0.3] + [2, -1]
    return torch.tensor(points, dtype=torch.float32)


def noise(n):
    return torch.tensor(rng.normal(size=(n, 4)), dtype=torch.float32)


torch.manual_seed(0)
generator = nn.Sequential(nn.Linear(4, 32), nn.LeakyReLU(0.2), nn.Linear(32, 2))
discriminator = nn.Sequential(
    nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 32), nn.LeakyReLU(0.2),
    nn.Linear(32, 1), nn.Sigmoid(),
)  # fmt: skip
begin(generator, discriminator)
criterion = nn.BCELoss()
make_better = torch.optim.Adam(generator.parameters(), lr=2e-3, betas=(0.5, 0.999))
judge_better = torch.optim.Adam(discriminator.parameters(), lr=2e-3, betas=(0.5, 0.999))
yes, no = torch.ones(64, 1), torch.zeros(64, 1)
probe, target = noise(500), real(500)

for step in range(201):
    # the discriminator: real points yes, made ones no
    judge_better.zero_grad()
    errD_real = criterion(discriminator(real(64)), yes)
    errD_real.backward()
    fake = generator(noise(64))
    errD_fake = criterion(discriminator(fake.detach()), no)
    errD_fake.backward()
    judge_better.step()

    # the generator: its points should pass for real
    make_better.zero_grad()
    errG = criterion(discriminator(fake), yes)
    errG.backward()
    make_better.step()

    if step % 10 == 0:
        with torch.no_grad():
            made = generator(probe)
        off = (made.mean(0) - target.mean(0)).norm()
        off = off + (made.std(0) - target.std(0)).norm()
        print(f"step {step} loss {off.item():.6f}")

print("mean", [round(v, 1) for v in made.mean(0).tolist()])
