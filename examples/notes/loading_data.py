"""A dataset of one's own and a loader, with every argument that notes list."""

import torch
from torch.utils.data import DataLoader, Dataset


class Squares(Dataset):
    def __len__(self):
        return 7

    def __getitem__(self, index):
        return torch.tensor([float(index)]), index**2


loader = DataLoader(
    Squares(), batch_size=3, shuffle=False, sampler=None, batch_sampler=None,
    num_workers=0, collate_fn=None, pin_memory=False, drop_last=False, timeout=0,
    worker_init_fn=None,
)  # fmt: skip
for x, y in loader:
    print(x, y)
