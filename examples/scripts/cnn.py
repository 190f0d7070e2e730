"""A small convolutional network names shapes in noisy pictures: bar, cross or frame."""

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from start import begin

SIZE = 14


def pictures(n, seed):
    """Pictures (n, 1, SIZE, SIZE), and what is on them."""
    rng = np.random.default_rng(seed)
    images = rng.normal(scale=0.4, size=(n, 1, SIZE, SIZE)).astype("float32")
    labels = rng.integers(0, 3, n)
    for image, label in zip(images[:, 0], labels):
        i, j = rng.integers(1, SIZE - 7, 2)
        if label < 2:
            image[i + 3, j : j + 7] += 1
        if label == 1:
            image[i : i + 7, j + 3] += 1
        if label == 2:
            image[i : i + 7, j] += 1
            image[i : i + 7, j + 6] += 1
            image[i, j : j + 7] += 1
            image[i + 6, j : j + 7] += 1
    return torch.from_numpy(images), torch.from_numpy(labels)


class Net(nn.Module):
    def __init__(self):
        super(Net, self).__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1)
        self.fc1 = nn.Linear(16 * 3 * 3, 32)
        self.fc2 = nn.Linear(32, 3)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)  # (N, 8, 7, 7)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)  # (N, 16, 3, 3)
        x = x.view(x.size(0), -1)
        return F.log_softmax(self.fc2(F.relu(self.fc1(x))), dim=1)


device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
torch.manual_seed(0)
model = Net().to(device)
begin(model)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
images, labels = pictures(320, seed=0)

model.train()
for step in range(101):
    batch = slice(step * 32 % 320, step * 32 % 320 + 32)
    data, target = images[batch].to(device), labels[batch].to(device)
    optimizer.zero_grad()
    loss = F.nll_loss(model(data), target)
    loss.backward()
    optimizer.step()
    if step % 10 == 0:
        print(f"step {step} loss {loss.item():.6f}")

model.eval()
with torch.no_grad():
    images, labels = pictures(200, seed=1)
    pred = model(images.to(device)).argmax(dim=1, keepdim=True).cpu()
    correct = pred.eq(labels.view_as(pred)).sum().item()
print(f"of new pictures {correct / 2:.1f}% right")
