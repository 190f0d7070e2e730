"""A layer without the library: weights, a forward function, a cost, an update."""

import torch


class Layer:
    def __init__(self):
        self.W = torch.tensor([0.5, -1.0])
        self.B = torch.tensor(0.25)
        self.X = torch.tensor([1.0, 2.0])

    def forward(self):
        return torch.sigmoid(self.W * self.X + self.B)

    def cost(self, wanted):
        return torch.dist(self.forward(), wanted)

    def backward(self, change):
        self.W = self.W + change


layer, wanted = Layer(), torch.tensor([1.0, 0.0])
print(layer.forward(), layer.cost(wanted))
layer.backward(torch.tensor([0.5, -0.5]))
print(layer.forward(), layer.cost(wanted))
