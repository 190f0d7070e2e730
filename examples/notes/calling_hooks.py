"""What calling a module does, written out: hooks before, forward, hooks after."""

import torch
from torch import nn


class Traced(nn.Linear):
    def __call__(self, *input, **kwargs):
        for hook in self._forward_pre_hooks.values():
            hook(self, input)
        result = self.forward(*input, **kwargs)
        for hook in self._forward_hooks.values():
            if hook(self, input, result) is not None:
                raise RuntimeError("a forward hook must return nothing")
        return result


net = Traced(2, 2)
with torch.no_grad():
    net.weight.copy_(torch.eye(2))
    net.bias.fill_(0.5)
net.register_forward_pre_hook(lambda net, args: print("before", args))
net.register_forward_hook(lambda net, args, out: print("after", out.detach()))
net(torch.tensor([1.0, 2.0]))
net.register_forward_hook(lambda net, args, out: out * 2)
try:
    net(torch.tensor([1.0, 2.0]))
except RuntimeError as error:
    print(error)
