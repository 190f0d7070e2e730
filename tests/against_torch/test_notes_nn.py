"""What notes on PyTorch write down about modules, losses, optimizers and data.

Small programs, run by torch and by plugrad; those of tensors are in test_notes.py.
"""

from __future__ import annotations

from collections import OrderedDict
from copy import deepcopy

import pytest

from tests.against_torch.programs import descend, failure, normal, same


def text(value):
    """The printed form, under plugrad's name."""
    return str(value).replace("torch.", "plugrad.")


def filled(m, module):
    """The module with the same numbers in both libraries."""
    with m.no_grad():
        for i, p in enumerate(module.parameters()):
            p.copy_(normal(m, *p.shape, start=7 * i, dtype="float32") * 0.3)
    return module


def two_layers(m):
    nn = m.nn
    return filled(m, nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1)))


def points(m, n=24):
    """Points of the plane, and on which side of a curve they are."""
    x = normal(m, n, 2, dtype="float32")
    return x, (x[:, :1] * x[:, 1:] > 0).float()


# --- Modules ------------------------------------------------------------------------


@same
def test_three_ways_to_a_sequence(m):
    nn = m.nn
    one = nn.Sequential()
    one.add_module("conv", nn.Conv2d(3, 3, 3))
    one.add_module("norm", nn.BatchNorm2d(3))
    one.add_module("activation", nn.ReLU())
    two = nn.Sequential(nn.Conv2d(3, 3, 3), nn.BatchNorm2d(3), nn.ReLU())
    layers = [("conv1", nn.Conv2d(3, 3, 3)), ("bn1", nn.BatchNorm2d(3))]
    three = nn.Sequential(OrderedDict([*layers, ("relu1", nn.ReLU())]))
    x = normal(m, 1, 3, 5, 5, dtype="float32")
    found = [filled(m, net)(x) for net in (one, two, three)]
    names = [list(net.state_dict()) for net in (one, two, three)]
    return [text(net) for net in (one, two, three)], names, found, text(one.conv)


@same
def test_layers_without_parameters_as_functions(m):
    F = m.nn.functional

    class Net(m.nn.Module):
        def __init__(self):
            super(Net, self).__init__()  # noqa: UP008 (as notes write it)
            self.conv1 = m.nn.Conv2d(3, 6, 5)
            self.conv2 = m.nn.Conv2d(6, 16, 5)
            self.fc1 = m.nn.Linear(16 * 5 * 5, 120)
            self.fc2 = m.nn.Linear(120, 84)
            self.fc3 = m.nn.Linear(84, 10)

        def forward(self, x):
            x = F.max_pool2d(F.relu(self.conv1(x)), 2)
            x = F.max_pool2d(F.relu(self.conv2(x)), 2)
            x = x.view(-1, 16 * 5 * 5)
            return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))

    net = filled(m, Net())
    y = net(normal(m, 1, 3, 32, 32, dtype="float32"))
    y.sum().backward()
    gradients = {name: p.grad.norm() for name, p in net.named_parameters()}
    return text(net), y, gradients, [text(p.shape) for p in net.parameters()]


@same
def test_a_linear_layer_of_ones_own(m):
    class MyLinear(m.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = m.nn.Parameter(m.zeros(3, 4))
            self.bias = m.nn.Parameter(m.zeros(3))

        def forward(self, x):
            return m.nn.functional.linear(x, self.weight, self.bias)

    layer = filled(m, MyLinear())
    x = normal(m, 2, 4, dtype="float32")
    by_hand = x @ layer.weight.t() + layer.bias
    return layer(x), by_hand, [name for name, _ in layer.named_parameters()]


@same
def test_assigned_attributes_are_registered_by_their_type(m):
    nn = m.nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(m.ones(2))
            self.inner = nn.Linear(2, 2)
            self.plain, self.listed = m.ones(2), [nn.Linear(1, 1)]

    net = Net()
    early = nn.Module.__new__(nn.Module)
    held = ["w" in net.__dict__, "plain" in net.__dict__, "listed" in net.__dict__]
    missing = None
    try:
        net.nothing  # noqa: B018
    except AttributeError as error:
        missing = type(error).__name__
    try:
        early.w = nn.Parameter(m.ones(1))
    except AttributeError as error:
        missing += type(error).__name__
    return list(net._parameters), list(net._modules), held, missing


@same
def test_what_a_module_can_do(m):
    nn, seen = m.nn, []
    net = two_layers(m)
    net.apply(lambda each: seen.append(type(each).__name__))
    net.register_buffer("count", m.zeros(1))
    modes = [net.training, net.eval().training, net.train().training]
    net(m.ones(1, 2)).sum().backward()
    before = net[0].weight.grad.clone()
    net.zero_grad()
    return (
        seen,
        list(net.state_dict()),
        modes,
        before,
        net[0].weight.grad is None,
        (
            failure(net.add_module, "x", 3),
            text(nn.Module()),
        ),
    )


@same
def test_lists_of_modules_and_of_parameters(m):
    nn = m.nn
    layers = nn.ModuleList([nn.Linear(2, 2)])
    layers.append(nn.Linear(2, 3))
    layers.extend([nn.ReLU(), nn.Linear(3, 1)])
    weights = nn.ParameterList([nn.Parameter(m.ones(2))])
    weights.append(nn.Parameter(m.zeros(1)))
    weights.extend([nn.Parameter(m.ones(1, 1))])
    sizes = [text(p.shape) for p in (*layers.parameters(), *weights)]
    return text(layers), len(layers), len(weights), sizes


@same
def test_hooks_see_what_goes_through(m):
    net, seen = two_layers(m), []
    inner = net[1]
    before = inner.register_forward_pre_hook(lambda mod, given: seen.append(given[0]))
    after = inner.register_forward_hook(lambda mod, given, y: seen.append(y * 1))
    inner.register_full_backward_hook(lambda mod, gx, gy: seen.extend([gx[0], gy[0]]))
    net(m.ones(1, 2)).sum().backward()
    before.remove()
    after.remove()
    net(m.ones(1, 2))
    return seen


@same
def test_state_goes_from_one_network_to_another(m):
    net, other = two_layers(m), m.nn.Sequential(*two_layers(m).children())
    with m.no_grad():
        other[0].weight.zero_()
    said = other.load_state_dict(net.state_dict())
    wrong = m.nn.Sequential(m.nn.Linear(3, 4))
    x = m.ones(1, 2)
    return (
        text(said),
        net(x),
        other(x),
        failure(wrong.load_state_dict, {}),
        (failure(wrong.load_state_dict, net.state_dict())),
    )


@same
def test_sequence_and_class_say_the_same(m):
    nn = m.nn

    class Net(nn.Module):
        def __init__(self, inputs, hidden, outputs):
            super().__init__()
            self.layer1 = nn.Linear(inputs, hidden)
            self.layer2 = nn.Tanh()
            self.layer3 = nn.Linear(hidden, outputs)

        def forward(self, x):
            return self.layer3(self.layer2(self.layer1(x)))

    x, _ = points(m)
    net = filled(m, Net(2, 4, 1))
    return net(x), two_layers(m)(x), text(net)


@same
def test_a_class_in_the_place_of_a_layer(m):
    return failure(m.nn.Sequential, m.nn.Linear(4, 3), m.nn.ReLU, m.nn.Linear(3, 2))


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "dilation"),
    [(3, 1, 0, 1), (3, 2, 1, 1), (2, 1, 0, 2), (5, 3, 2, 1), ((3, 2), (2, 1), 1, 1)],
)
@same
def test_the_size_of_what_a_convolution_gives(m, kernel, stride, padding, dilation):
    layer = m.nn.Conv2d(2, 4, kernel, stride, padding, dilation)
    grouped = m.nn.Conv2d(2, 4, kernel, stride, padding, dilation, 2, False)
    x = normal(m, 1, 2, 9, 8, dtype="float32")
    shapes = [text(each(x).shape) for each in (layer, grouped)]
    return shapes, text(layer), text(grouped), filled(m, layer)(x)


# --- Losses -------------------------------------------------------------------------


@same
def test_cross_entropy_by_hand(m):
    F = m.nn.functional
    scores = normal(m, 5, 3, requires_grad=True)
    classes = m.tensor([0, 2, 1, 1, 0])
    shares = F.softmax(scores, dim=1)
    by_hand = -shares[m.arange(5), classes].log().mean()
    loss = m.nn.CrossEntropyLoss()(scores, classes)
    loss.backward()
    return shares, by_hand, loss, scores.grad, shares.sum(1), shares.argmax(1)


@same
def test_two_classes_by_hand(m):
    x = normal(m, 4, 1, requires_grad=True)
    y = m.tensor([[1.0], [0.0], [1.0], [0.0]], dtype=m.float64)
    p = m.sigmoid(x)
    by_hand = -(y * p.log() + (1 - y) * (1 - p).log()).mean()
    losses = m.nn.BCELoss()(p, y), m.nn.BCEWithLogitsLoss()(x, y)
    losses[1].backward()
    return by_hand, losses, x.grad


@same
def test_losses_of_numbers(m):
    F, x, y = m.nn.functional, normal(m, 3, 2), normal(m, 3, 2, start=9)
    names = "mse_loss l1_loss smooth_l1_loss huber_loss poisson_nll_loss".split()
    found = {name: getattr(F, name)(x, y.abs()) for name in names}
    shares = F.kl_div(F.log_softmax(x, 1), F.softmax(y, 1), reduction="batchmean")
    return found, shares, m.nn.MSELoss(reduction="sum")(x, y), m.nn.L1Loss()(x, y)


@same
def test_functions_between_the_layers(m):
    x, F = normal(m, 3, 4, dtype="float32"), m.nn.functional
    names = "relu sigmoid tanh selu elu leaky_relu softplus gelu silu".split()
    found = {name: getattr(F, name)(x) for name in names}
    return found, F.softmax(x, 1), F.log_softmax(x, 0), F.normalize(x)


# --- Optimizers and rates -------------------------------------------------------------


@same
def test_logistic_regression(m):
    x, y = points(m)
    w = normal(m, 2, 1, dtype="float32", requires_grad=True)
    b = m.zeros(1, requires_grad=True)
    optimizer = m.optim.SGD([w, b], lr=1.0)
    losses = []
    for _ in range(30):
        p = m.nn.functional.sigmoid(m.mm(x, w) + b)
        loss = -(y * p.clamp(1e-12).log() + (1 - y) * (1 - p).clamp(1e-12).log()).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return losses, w, b


OPTIMIZERS = [
    lambda m, p: m.optim.SGD(p, lr=0.1),
    lambda m, p: m.optim.SGD(p, lr=0.1, momentum=0.9),
    lambda m, p: m.optim.Adagrad(p, lr=0.1),
    lambda m, p: m.optim.RMSprop(p, lr=0.01),
    lambda m, p: m.optim.Adadelta(p),
    lambda m, p: m.optim.Adam(p, lr=0.01),
    lambda m, p: m.optim.AdamW(p, lr=0.01),
    lambda m, p: m.optim.Adamax(p, lr=0.01),
    lambda m, p: m.optim.ASGD(p),
    lambda m, p: m.optim.Rprop(p),
]


@pytest.mark.parametrize("make", OPTIMIZERS)
@same
def test_the_usual_loop(m, make):
    x, y = points(m)
    net, loss_of = two_layers(m), m.nn.MSELoss()
    optimizer = make(m, net.parameters())
    losses = []
    for start in range(0, 48, 6):
        part = slice(start % 24, start % 24 + 6)
        optimizer.zero_grad()
        loss = loss_of(net(x[part]), y[part])
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return losses, list(net.parameters()), text(optimizer)


@same
def test_lbfgs_asks_for_the_loss_again(m):
    x, y = points(m)
    net = two_layers(m)
    optimizer = m.optim.LBFGS(net.parameters(), lr=0.5, max_iter=4)

    def closure():
        optimizer.zero_grad()
        loss = ((net(x) - y) ** 2).mean()
        loss.backward()
        return loss

    return [optimizer.step(closure).detach() for _ in range(4)]


@same
def test_sparse_adam_takes_gradients_of_rows(m):
    table = filled(m, m.nn.Embedding(6, 2, sparse=True))
    optimizer = m.optim.SparseAdam(table.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        (table(m.tensor([1, 4, 1])) ** 2).sum().backward()
        optimizer.step()
    return table.weight, table.weight.grad.is_sparse


@same
def test_parts_of_a_network_learn_at_other_rates(m):
    net = two_layers(m)
    parts = [{"params": net[0].parameters()}, {"params": net[2].parameters()}]
    parts[1]["lr"] = 1e-2
    optimizer = m.optim.SGD(parts, lr=1e-5)
    net(m.ones(3, 2)).sum().backward()
    optimizer.step()
    for group in optimizer.param_groups:
        group["lr"] *= 10
    optimizer.step()
    optimizer.add_param_group({"params": [m.ones(1, requires_grad=True)], "lr": 0.5})
    rates = [group["lr"] for group in optimizer.param_groups]
    repeated = failure(optimizer.add_param_group, {"params": [net[0].weight]})
    return list(net.parameters()), rates, repeated, text(optimizer)


@same
def test_a_saved_optimizer_goes_on(m):
    def step(net, optimizer):
        optimizer.zero_grad()
        (net(m.ones(3, 2)) ** 2).sum().backward()
        optimizer.step()

    net = two_layers(m)
    optimizer = m.optim.Adam(net.parameters(), lr=0.05)
    for _ in range(3):
        step(net, optimizer)
    again, fresh = two_layers(m), two_layers(m)
    again.load_state_dict(net.state_dict())
    other = m.optim.Adam(again.parameters(), lr=0.9)
    other.load_state_dict(deepcopy(optimizer.state_dict()))  # torch's share tensors
    for _ in range(2):
        step(net, optimizer)
        step(again, other)
    new = m.optim.Adam(fresh.parameters())
    groups = new.state_dict()["param_groups"]
    return list(net.parameters()), list(again.parameters()), sorted(groups[0])


SCHEDULES = [
    lambda s, o: s.StepLR(o, step_size=3, gamma=0.1),
    lambda s, o: s.MultiStepLR(o, [2, 6], gamma=0.5),
    lambda s, o: s.ExponentialLR(o, 0.9),
    lambda s, o: s.CosineAnnealingLR(o, T_max=6),
    lambda s, o: s.LambdaLR(o, lambda epoch: 0.95**epoch),
    lambda s, o: s.OneCycleLR(o, max_lr=0.5, total_steps=10),
]


@pytest.mark.parametrize("make", SCHEDULES)
@same
def test_rates_that_change(m, make):
    net = two_layers(m)
    optimizer = m.optim.SGD(net.parameters(), lr=0.1)
    schedule = make(m.optim.lr_scheduler, optimizer)
    rates = []
    for _ in range(9):
        net(m.ones(3, 2)).sum().backward()
        optimizer.step()
        optimizer.zero_grad()
        rates.append(round(optimizer.param_groups[0]["lr"], 12))
        schedule.step()
    return rates, [round(r, 12) for r in schedule.get_last_lr()], net[0].weight


@same
def test_a_rate_that_falls_when_the_loss_does_not(m):
    p = m.ones(1, requires_grad=True)
    optimizer = m.optim.SGD([p], lr=1.0)
    schedule = m.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=1)
    rates = []
    for loss in (3.0, 2.0, 2.0, 2.0, 2.0, 1.0):
        schedule.step(loss)
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


@same
def test_steps_by_hand_are_those_of_sgd(m):
    x, y = points(m)
    by_hand, net = two_layers(m), two_layers(m)
    optimizer = m.optim.SGD(net.parameters(), lr=0.2)
    for _ in range(5):
        for each in (by_hand, net):
            each.zero_grad()
            ((each(x) - y) ** 2).mean().backward()
        optimizer.step()
        descend(m, by_hand.parameters(), 0.2)
    return list(by_hand.parameters()), list(net.parameters())


# --- Data -----------------------------------------------------------------------------


@same
def test_a_data_set_of_ones_own(m):
    class Squares(m.utils.data.Dataset):
        def __len__(self):
            return 7

        def __getitem__(self, i):
            return m.tensor([float(i)]), i * i

    data = m.utils.data
    loader = data.DataLoader(Squares(), batch_size=3)
    cut = data.DataLoader(Squares(), batch_size=3, drop_last=True)
    parts = data.Subset(Squares(), [1, 5]), data.ConcatDataset([Squares(), Squares()])
    return [list(batch) for batch in loader], len(cut), [len(each) for each in parts]


@same
def test_training_from_a_loader(m):
    x, y = points(m)
    data = m.utils.data
    loader = data.DataLoader(data.TensorDataset(x, y), batch_size=8)
    net = two_layers(m)
    optimizer = m.optim.SGD(net.parameters(), lr=0.1)
    losses = []
    for _ in range(3):
        for inputs, targets in loader:
            optimizer.zero_grad()
            loss = m.nn.functional.mse_loss(net(inputs), targets)
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
    return losses


@same
def test_a_shuffled_loader_gives_each_item_once(m):
    data = m.utils.data
    loader = data.DataLoader(data.TensorDataset(m.arange(10)), 4, shuffle=True)
    batches = [batch[0].tolist() for batch in loader]
    return sorted(i for batch in batches for i in batch), [len(b) for b in batches]


# --- Devices and files ----------------------------------------------------------------


@same
def test_without_a_gpu(m):
    device = m.device("cuda" if m.cuda.is_available() else "cpu")
    net = two_layers(m).to(device)
    x = m.ones(1, 2).to(device)
    return text(net[0].weight.device), net(x).cpu(), text(x.to("cpu", m.double).dtype)
