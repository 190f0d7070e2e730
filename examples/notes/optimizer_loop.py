"""The loop that every training is: zero, forward, loss, backward, step."""

import torch
from torch import nn, optim

model = nn.Linear(1, 1)
with torch.no_grad():
    model.weight.fill_(0.5)
    model.bias.zero_()
loss_fn = nn.MSELoss()
optimizer = optim.Adam(model.parameters(), lr=0.1, betas=(0.9, 0.99), eps=1e-8)
dataset = [(torch.tensor([[x]]), torch.tensor([[3 * x - 1]])) for x in (0.0, 1.0, 2.0)]
for _ in range(10):
    for input, target in dataset:
        optimizer.zero_grad()
        output = model(input)
        loss = loss_fn(output, target)
        loss.backward()
        optimizer.step()
    print(f"{loss.item():.5f}")
print(model.weight, model.bias)
