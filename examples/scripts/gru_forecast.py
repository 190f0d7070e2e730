"""A two-layer GRU forecasts a wave from packed sequences of different lengths."""

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from start import begin

rng = np.random.default_rng(0)


def wave(length):
    t = np.arange(length + 1) * 0.3 + rng.uniform(0, 6)
    return torch.from_numpy(np.sin(t) + 0.5 * np.sin(2.1 * t)).float().unsqueeze(1)


class Forecaster(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(1, 16, num_layers=2, batch_first=True)
        self.out = nn.Linear(16, 1)

    def forward(self, x, lengths):
        packed = pack_padded_sequence(
            x, lengths, batch_first=True, enforce_sorted=False
        )
        h, _ = self.gru(packed)
        h, _ = pad_packed_sequence(h, batch_first=True)
        return self.out(h)


torch.manual_seed(0)
net = Forecaster()
begin(net)
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.02, total_steps=101)
waves = [wave(n) for n in rng.integers(8, 20, 32)]
for step in range(101):
    chosen = [waves[i] for i in range(step % 4, 32, 4)]
    lengths = torch.tensor([len(w) - 1 for w in chosen])
    x = pad_sequence([w[:-1] for w in chosen], batch_first=True)
    y = pad_sequence([w[1:] for w in chosen], batch_first=True)
    valid = torch.arange(x.size(1))[None, :] < lengths[:, None]
    loss = (net(x, lengths) - y)[valid].pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    cycle.step()
    if step % 10 == 0:
        print(f"step {step} loss {loss.item():.6f}")
