"""A transformer encoder finds out whether two marks in a row of tokens are the same."""

import numpy as np
import torch
import torch.nn as nn

from start import begin

LENGTH, KINDS, WIDTH = 8, 5, 24
rng = np.random.default_rng(0)


def rows(n):
    """Tokens (n, LENGTH), a mask of those that are padding, and whether the first two
    are the same."""
    tokens = rng.integers(1, KINDS, (n, LENGTH))
    same = rng.random(n) < 0.5
    tokens[same, 1] = tokens[same, 0]
    lengths = rng.integers(4, LENGTH + 1, n)
    padding = np.arange(LENGTH) >= lengths[:, None]
    tokens[padding] = 0
    labels = (tokens[:, 0] == tokens[:, 1]).astype("float32")
    return torch.from_numpy(tokens), torch.from_numpy(padding), torch.from_numpy(labels)


class Comparer(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(KINDS, WIDTH, padding_idx=0)
        self.position = nn.Parameter(0.1 * torch.randn(LENGTH, WIDTH))
        layer = nn.TransformerEncoderLayer(
            WIDTH, nhead=4, dim_feedforward=48, dropout=0.0, batch_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.out = nn.Linear(WIDTH, 1)

    def forward(self, tokens, padding):
        x = self.embedding(tokens) + self.position
        x = self.encoder(x, src_key_padding_mask=padding)
        return self.out(x[:, 0]).squeeze(1)


torch.manual_seed(0)
model = Comparer()
begin(model)
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
warmup = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda n: min(1.0, (n + 1) / 20))
data = rows(256)
for step in range(121):
    chosen = slice(step % 4 * 64, step % 4 * 64 + 64)
    tokens, padding, labels = (each[chosen] for each in data)
    loss = criterion(model(tokens, padding), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    warmup.step()
    if step % 10 == 0:
        print(f"step {step} loss {loss.item():.6f}")

model.eval()
with torch.no_grad():
    right = ((model(*data[:2]) > 0) == data[2].bool()).float().mean()
print(f"{right:.0%} right")
