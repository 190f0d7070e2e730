"""What backward leaves where: leaves keep a gradient, results do not."""

import torch


def compute():
    x = torch.tensor([[1, 2], [3, 4]], dtype=torch.double, requires_grad=True)
    y = 2 * x + 1
    z = y * y + 1
    return {"x": x, "y": y, "z": z, "mean": z.mean()}


def show(tensors):
    for name, t in tensors.items():
        grad = t.grad if t.is_leaf else "of no leaf"
        print(f"{name} = {t}\n  {t.requires_grad} {t.is_leaf} {t.dtype} grad {grad}")


tensors = compute()
tensors["mean"].backward()
show(tensors)
print([t.grad_fn is None for t in tensors.values()])
