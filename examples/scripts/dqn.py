"""Deep Q-learning: walk a corridor to its far end, where the reward is."""

import random
from collections import deque, namedtuple

import torch
import torch.nn as nn
import torch.optim as optim

from start import begin

Transition = namedtuple("Transition", "state action next_state reward done")
ROOMS, GAMMA, BATCH = 7, 0.9, 32


class Corridor:
    """Start at the left; going right from the last room pays 1 and ends the walk."""

    def reset(self):
        self.room = 0
        return self.state()

    def state(self):
        return torch.eye(ROOMS)[self.room]

    def step(self, action):
        done = action == 1 and self.room == ROOMS - 1
        self.room = max(0, min(ROOMS - 1, self.room + (1 if action == 1 else -1)))
        return self.state(), float(done), done


class DQN(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer1 = nn.Linear(ROOMS, 24)
        self.layer2 = nn.Linear(24, 2)

    def forward(self, x):
        return self.layer2(torch.relu(self.layer1(x)))


torch.manual_seed(0)
rng = random.Random(0)
policy_net, target_net = DQN(), DQN()
begin(policy_net)
target_net.load_state_dict(policy_net.state_dict())
optimizer = optim.AdamW(policy_net.parameters(), lr=5e-3, amsgrad=True)
criterion = nn.SmoothL1Loss()
memory = deque([], maxlen=400)


def values():
    """What each state and action is worth, and how far the network is from it."""
    states = torch.eye(ROOMS)
    worth = torch.tensor([GAMMA ** (ROOMS - 1 - i) for i in range(ROOMS)])
    return (policy_net(states)[:, 1] - worth).abs().mean()


env, state = Corridor(), None
for step in range(301):
    if state is None:
        state = env.reset()
    action = rng.choice([0, 1, 1])  # it learns from walks that are mostly random
    next_state, reward, done = env.step(action)
    memory.append(Transition(state, action, next_state, reward, done))
    state = None if done else next_state

    if len(memory) >= BATCH:
        batch = Transition(*zip(*rng.sample(list(memory), BATCH)))
        action_batch = torch.tensor(batch.action).unsqueeze(1)
        now = policy_net(torch.stack(batch.state)).gather(1, action_batch).squeeze(1)
        with torch.no_grad():
            later = target_net(torch.stack(batch.next_state)).max(1).values
        later[torch.tensor(batch.done)] = 0.0
        loss = criterion(now, torch.tensor(batch.reward) + GAMMA * later)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_value_(policy_net.parameters(), 100)
        optimizer.step()
        net_state, kept = policy_net.state_dict(), target_net.state_dict()
        for key in net_state:  # the target follows slowly
            kept[key] = 0.1 * net_state[key] + 0.9 * kept[key]
        target_net.load_state_dict(kept)
    if step % 10 == 0:
        print(f"step {step} loss {values().item():.6f}")

best = policy_net(torch.eye(ROOMS)).argmax(1)
print("the way:", "".join("<>"[a] for a in best.tolist()))
