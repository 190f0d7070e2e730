"""Train a convolutional network on handwritten digits, written out by hand.

`plugrad train` does the same and more (docs/train.md); this is what it takes in plain
plugrad, which is PyTorch's way to the letter. The digits come with plugrad-vision.
"""

from __future__ import annotations

import plugrad
from plugrad import nn
from plugrad.nn import functional as F
from plugrad.plugins.vision import datasets, transforms
from plugrad.plugins.vision.utils import save_image
from plugrad.utils.data import DataLoader

EPOCHS = 8


class Net(nn.Module):
    """Two convolutions find strokes, two linear layers name the digit."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.fc1 = nn.Linear(32 * 4 * 4, 64)
        self.fc2 = nn.Linear(64, 10)

    def forward(self, x: plugrad.Tensor) -> plugrad.Tensor:
        x = F.relu(self.conv1(x))  # (N, 16, 8, 8)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)  # (N, 32, 4, 4)
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


def main() -> None:
    """Train, test, save."""
    plugrad.manual_seed(0)
    plugrad.set_num_threads(1)  # the products are too small to share
    scale = transforms.Compose(
        [transforms.ToTensor(), transforms.Normalize((0.305,), (0.376,))]
    )
    train = DataLoader(datasets.Digits(transform=scale), batch_size=32, shuffle=True)
    test = DataLoader(datasets.Digits(train=False, transform=scale), batch_size=500)

    net = Net()
    optimizer = plugrad.optim.Adam(net.parameters(), lr=0.002)
    for epoch in range(1, EPOCHS + 1):
        for images, labels in train:
            loss = F.cross_entropy(net(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch}: loss {loss.item():.4f}")

    images, labels = next(iter(test))  # all of them
    with plugrad.no_grad():
        guesses = net(images).argmax(1)
    right = guesses == labels
    print(f"{right.float().mean().item():.1%} of {len(labels)} unseen digits are right")
    for truth, guess in zip(labels[~right].tolist(), guesses[~right].tolist()):
        print(f"  a {truth} was read as {guess}")

    plugrad.save(net.state_dict(), "digits.pt")
    save_image(images[:64], "digits.png", normalize=True)
    print("digits.pt: the network; digits.png: the first 64 test pictures")


if __name__ == "__main__":
    main()
