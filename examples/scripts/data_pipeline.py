"""Datasets, samplers and a loader with worker processes feed a regression."""

import numpy as np
import torch
from torch import nn
from torch.utils.data import ConcatDataset, DataLoader, Dataset, Sampler, Subset

from start import begin


class Houses(Dataset):
    """Rows of a table that is made as it is read."""

    def __init__(self, n, seed, transform=None):
        self.n, self.seed, self.transform = n, seed, transform

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        rng = np.random.default_rng([self.seed, index])
        area, age = rng.uniform(30, 200), rng.uniform(0, 90)
        price = 2 * area - 1.5 * age + 10 * np.sin(area)
        row = {"x": torch.tensor([area, age]), "price": np.float32(price / 100)}
        return self.transform(row) if self.transform else row


class Normalize:
    def __call__(self, row):
        row["x"] = (row["x"].float() - torch.tensor([115.0, 45.0])) / 50
        return row


class EveryThird(Sampler):
    """An order that is neither sorted nor random."""

    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return iter(sorted(range(self.n), key=lambda i: (i % 3, i)))

    def __len__(self):
        return self.n


def main():
    parts = [
        Houses(150, 0, Normalize()),
        Subset(Houses(200, 1, Normalize()), range(90)),
    ]
    data = ConcatDataset(parts)
    loader = DataLoader(
        data,
        batch_size=24,
        sampler=EveryThird(len(data)),
        num_workers=2,
        drop_last=True,
    )
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1), nn.Flatten(0))
    begin(model)
    criterion = nn.HuberLoss()
    optimizer = torch.optim.SGD(
        model.parameters(), lr=0.05, momentum=0.9, nesterov=True
    )
    step = 0
    while step <= 100:
        for batch in loader:
            loss = criterion(model(batch["x"]), batch["price"])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if step % 10 == 0 and step <= 100:
                print(f"step {step} loss {loss.item():.6f}")
            step += 1


if __name__ == "__main__":
    main()
