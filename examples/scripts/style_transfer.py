"""Style transfer by L-BFGS: the content of one picture, the texture of another."""

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from start import begin

SIZE = 16


def gram_matrix(features):
    n, c, h, w = features.size()
    flat = features.view(n * c, h * w)
    return torch.mm(flat, flat.t()).div(n * c * h * w)


class ContentLoss(nn.Module):
    def __init__(self, target):
        super().__init__()
        self.target = target.detach()

    def forward(self, x):
        self.loss = F.mse_loss(x, self.target)
        return x


class StyleLoss(nn.Module):
    def __init__(self, target):
        super().__init__()
        self.target = gram_matrix(target).detach()

    def forward(self, x):
        self.loss = F.mse_loss(gram_matrix(x), self.target)
        return x


i, j = np.mgrid[:SIZE, :SIZE] / SIZE
content = np.stack([np.hypot(i - 0.5, j - 0.5) < 0.3, i, j])
style = np.stack([np.sin(25 * i), np.sin(25 * j), np.sin(15 * (i + j))]) * 0.5 + 0.5
content_img = torch.tensor(content[None], dtype=torch.float)
style_img = torch.tensor(style[None], dtype=torch.float)

torch.manual_seed(0)
convs = [nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 12, 3, padding=1)]
begin(*convs)
model = nn.Sequential()
for n, conv in enumerate(convs):
    for p in conv.parameters():
        p.requires_grad_(False)
    model.add_module(f"conv_{n}", conv)
    model.add_module(f"tanh_{n}", nn.Tanh())
    model.add_module(f"style_{n}", StyleLoss(model(style_img)))
    if n == 1:
        model.add_module("content", ContentLoss(model(content_img)))
style_losses = [m for m in model if isinstance(m, StyleLoss)]
content_losses = [m for m in model if isinstance(m, ContentLoss)]

input_img = content_img.clone().requires_grad_(True)
optimizer = torch.optim.LBFGS([input_img], line_search_fn="strong_wolfe")
run = 0


def closure():
    global run
    optimizer.zero_grad()
    model(input_img)
    style_score = sum(layer.loss for layer in style_losses)
    content_score = sum(layer.loss for layer in content_losses)
    loss = 1e5 * style_score + content_score
    loss.backward()
    if run % 10 == 0:
        print(f"step {run} loss {loss.item():.6f}")
    run += 1
    return loss


while run <= 100:
    optimizer.step(closure)
print(f"the picture changed by {(input_img - content_img).abs().mean().item():.2f}")
