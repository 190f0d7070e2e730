"""Skip-gram with negative sampling: words that stand together get similar vectors."""

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from start import begin

TEXT = """the cat sat on the mat and the dog sat on the rug
the king and the queen live in the castle the cat and the dog live in the house
the queen sat in the castle and the dog sat in the house""".split()
vocab = sorted(set(TEXT))
ids = np.array([vocab.index(word) for word in TEXT])
pairs = np.array(
    [(ids[i], ids[j]) for i in range(len(ids)) for j in (i - 2, i - 1, i + 1, i + 2)
     if 0 <= j < len(ids)]
)  # fmt: skip


class SkipGram(nn.Module):
    def __init__(self, words, width):
        super().__init__()
        self.inside = nn.Embedding(words, width, sparse=True)
        self.outside = nn.Embedding(words, width, sparse=True)
        nn.init.uniform_(self.inside.weight, -0.5, 0.5)
        nn.init.uniform_(self.outside.weight, -0.5, 0.5)

    def forward(self, word, near, far):
        v = self.inside(word)  # (N, D)
        good = (v * self.outside(near)).sum(1)
        bad = torch.bmm(self.outside(far), v.unsqueeze(2)).squeeze(2)  # (N, 5)
        return -(F.logsigmoid(good) + F.logsigmoid(-bad).sum(1)).mean()


torch.manual_seed(0)
rng = np.random.default_rng(0)
model = SkipGram(len(vocab), 12)
begin(model)
optimizer = torch.optim.SparseAdam(model.parameters(), lr=0.02)
for step in range(151):
    chosen = pairs[rng.integers(0, len(pairs), 48)]
    word, near = torch.from_numpy(chosen).unbind(1)
    far = torch.from_numpy(rng.integers(0, len(vocab), (48, 5)))
    loss = model(word, near, far)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 10 == 0:
        print(f"step {step} loss {loss.item():.6f}")

vectors = F.normalize(model.inside.weight.detach(), dim=1)
near = (vectors @ vectors[vocab.index("queen")]).topk(4).indices
print("close to queen:", [vocab[i] for i in near])
