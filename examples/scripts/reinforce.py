"""REINFORCE learns a game of rock, paper and scissors against a player with habits."""

import numpy as np
import torch
import torch.nn as nn
from torch.distributions import Categorical

from start import begin

rng = np.random.default_rng(0)
HABIT = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.7, 0.2], [0.2, 0.1, 0.7]])
# what I win with the row's sign against the column's
WINS = torch.tensor([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]])


class Policy(nn.Module):
    """What to play, given what the other has played last."""

    def __init__(self):
        super().__init__()
        self.affine1 = nn.Linear(3, 16)
        self.affine2 = nn.Linear(16, 3)

    def forward(self, x):
        return Categorical(logits=self.affine2(torch.relu(self.affine1(x))))


def drawn(probs):
    """One index from each row of probabilities; the dice are NumPy's."""
    u = torch.from_numpy(rng.random((len(probs), 1))).float()
    return (probs.cumsum(1) < u).sum(1).clamp(max=2)


torch.manual_seed(0)
policy = Policy()
begin(policy)
optimizer = torch.optim.Adam(policy.parameters(), lr=0.02)
states = torch.eye(3)
for step in range(151):
    if step % 10 == 0:
        with torch.no_grad():
            gain = (policy(states).probs @ WINS * HABIT).sum(1).mean()
        print(f"step {step} loss {1 - gain.item():.6f}")
    last = torch.from_numpy(rng.integers(0, 3, 64))
    play = policy(states[last])
    action = drawn(play.probs.detach())
    other = drawn(HABIT[last])
    reward = WINS[action, other]
    reward = reward - reward.mean()
    loss = -(play.log_prob(action) * reward).mean() - 0.01 * play.entropy().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

best = policy(states).probs.argmax(1)
names = ["rock", "paper", "scissors"]
for state, action in zip(names, best):
    print(f"after {state} I play {names[action]}")
