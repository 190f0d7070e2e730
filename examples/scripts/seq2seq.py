"""A sequence-to-sequence network with attention learns to write numbers backwards."""

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from start import begin

DIGITS, START, HIDDEN, LENGTH = 6, 6, 24, 5


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(DIGITS, HIDDEN)
        self.gru = nn.GRU(HIDDEN, HIDDEN, batch_first=True)

    def forward(self, x):
        return self.gru(self.embedding(x))


class AttentionDecoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(DIGITS + 1, HIDDEN)
        self.cell = nn.GRUCell(2 * HIDDEN, HIDDEN)
        self.query = nn.Linear(HIDDEN, HIDDEN, bias=False)
        self.keys = nn.Linear(HIDDEN, HIDDEN, bias=False)
        self.energy = nn.Linear(HIDDEN, 1, bias=False)
        self.out = nn.Linear(HIDDEN, DIGITS)

    def attend(self, hidden, states):
        mixed = torch.tanh(self.query(hidden).unsqueeze(1) + self.keys(states))
        weights = F.softmax(self.energy(mixed).squeeze(2), dim=1)  # (N, T)
        return torch.bmm(weights.unsqueeze(1), states).squeeze(1)  # (N, H)

    def forward(self, states, hidden, target=None):
        token = torch.full((states.size(0),), START)
        scores = []
        for t in range(LENGTH):
            context = self.attend(hidden, states)
            hidden = self.cell(torch.cat([self.embedding(token), context], 1), hidden)
            scores.append(self.out(hidden))
            # teacher forcing while training
            token = scores[-1].argmax(1) if target is None else target[:, t]
        return torch.stack(scores, dim=1)  # (N, T, DIGITS)


torch.manual_seed(0)
encoder, decoder = Encoder(), AttentionDecoder()
begin(encoder, decoder)
params = list(encoder.parameters()) + list(decoder.parameters())
optimizer = torch.optim.Adam(params, lr=0.01)
criterion = nn.CrossEntropyLoss()
rng = np.random.default_rng(0)

for step in range(121):
    x = torch.from_numpy(rng.integers(0, DIGITS, (24, LENGTH)))
    y = x.flip(1)
    states, last = encoder(x)
    scores = decoder(states, last.squeeze(0), y)
    loss = criterion(scores.reshape(-1, DIGITS), y.reshape(-1))
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_value_(params, 0.5)
    optimizer.step()
    if step % 10 == 0:
        print(f"step {step} loss {loss.item():.6f}")

with torch.no_grad():
    x = torch.tensor([[1, 2, 3, 4, 5]])
    states, last = encoder(x)
    print(x[0].tolist(), "->", decoder(states, last[0]).argmax(2)[0].tolist())
