"""Programs such as PyTorch's tutorials teach, up to nn, run by torch and by plugrad.

Each starts from the same numbers in both, and returns what it has learned.
"""

from __future__ import annotations

import math

from tests.against_torch.programs import descend, failure, normal, same

# --- The first hour -----------------------------------------------------------------


@same
def test_two_losses_of_one_weight(m):
    a = m.tensor([2.0, 3.0], requires_grad=True)
    b = m.tensor([6.0, 4.0], requires_grad=True)
    q = 3 * a**3 - b**2
    q.backward(gradient=m.ones(2))
    return a.grad, b.grad, a.grad == 9 * a**2, b.grad == -2 * b


@same
def test_some_parameters_are_frozen(m):
    x, frozen = m.ones(5, 5), m.ones(5, 5)
    w = m.full((5, 5), 0.5, requires_grad=True)
    a, b = x + frozen, x + w
    b.mean().backward()
    return a.requires_grad, b.requires_grad, w.grad, frozen.grad


@same
def test_walking_along_the_graph(m):
    x = m.ones(2, 2, requires_grad=True)
    out = (x + 2).pow(2).mul(3).mean()
    names, node = [], out.grad_fn
    while node is not None:
        names.append(node.name().rpartition("::")[2])
        node = node.next_functions[0][0] if node.next_functions else None
    return names


@same
def test_doubling_until_the_norm_is_large(m):
    x = m.tensor([0.4, -1.2, 0.7], requires_grad=True)
    y = x * 2
    while y.detach().norm() < 1000:
        y = y * 2
    y.backward(m.tensor([0.1, 1.0, 0.0001]))
    return y, x.grad


# --- A polynomial for the sine ------------------------------------------------------


def sine(m):
    x = m.linspace(-math.pi, math.pi, 200, dtype=m.float64)
    return x, m.sin(x)


@same
def test_a_polynomial_by_hand(m):
    x, y = sine(m)
    a, b, c, d = normal(m, 4).unbind()
    for _ in range(60):
        error = 2.0 * (a + b * x + c * x**2 + d * x**3 - y)
        a = a - 1e-6 * error.sum()
        b = b - 1e-6 * (error * x).sum()
        c = c - 1e-6 * (error * x**2).sum()
        d = d - 1e-6 * (error * x**3).sum()
    return a, b, c, d


@same
def test_a_polynomial_by_autograd(m):
    x, y = sine(m)
    weights = [w.clone().requires_grad_() for w in normal(m, 4)]
    losses = []
    for _ in range(60):
        a, b, c, d = weights
        loss = (a + b * x + c * x**2 + d * x**3 - y).pow(2).sum()
        loss.backward()
        losses.append(loss.detach())
        descend(m, weights, 1e-6)
    return losses, weights


def legendre(m):
    class Legendre3(m.autograd.Function):
        """(5x^3 - 3x) / 2"""

        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return 0.5 * (5 * x**3 - 3 * x)

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 1.5 * (5 * x**2 - 1)

    return Legendre3


@same
def test_a_polynomial_with_a_function_of_ones_own(m):
    x, y = sine(m)
    cubic = legendre(m).apply
    weights = [m.tensor(w, dtype=m.double, requires_grad=True) for w in (0.0, -1, 0, 3)]
    for _ in range(40):
        a, b, c, d = weights
        loss = (a + b * cubic(c + d * x / 3) - y).pow(2).sum()
        loss.backward()
        descend(m, weights, 5e-6)
    return loss.detach(), weights, (a + b * cubic(c)).grad_fn is not None


@same
def test_second_derivatives_of_a_function_of_ones_own(m):
    x = m.tensor([0.5, -1.5], dtype=m.double, requires_grad=True)
    (first,) = m.autograd.grad(legendre(m).apply(x).sum(), x, create_graph=True)
    return first, m.autograd.grad(first.sum(), x)[0]


# --- More functions of one's own ----------------------------------------------------


@same
def test_exp_keeps_its_result(m):
    class Exp(m.autograd.Function):
        @staticmethod
        def forward(ctx, i):
            result = i.exp()
            ctx.save_for_backward(result)
            return result

        @staticmethod
        def backward(ctx, grad_output):
            (result,) = ctx.saved_tensors
            return grad_output * result

    x = normal(m, 4, requires_grad=True)
    Exp.apply(x).sum().backward()
    return x.grad, m.autograd.gradcheck(Exp.apply, (x,))


@same
def test_relu_and_two_layers(m):
    class ReLU(m.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.clamp(min=0)

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            g = g.clone()
            g[x < 0] = 0
            return g

    x, y = normal(m, 16, 10), normal(m, 16, 3, start=200)
    w1 = normal(m, 10, 12, start=300, requires_grad=True)
    w2 = normal(m, 12, 3, start=500, requires_grad=True)
    losses = []
    for _ in range(30):
        loss = (ReLU.apply(x.mm(w1)).mm(w2) - y).pow(2).sum()
        loss.backward()
        losses.append(loss.item())
        descend(m, (w1, w2), 1e-4)
    return losses[-1] < losses[0], w1, w2


@same
def test_a_linear_layer_that_asks_what_is_needed(m):
    class Linear(m.autograd.Function):
        @staticmethod
        def forward(ctx, x, weight, bias=None):
            ctx.save_for_backward(x, weight, bias)
            y = x.mm(weight.t())
            return y if bias is None else y + bias.unsqueeze(0).expand_as(y)

        @staticmethod
        def backward(ctx, g):
            x, weight, bias = ctx.saved_tensors
            gx = g.mm(weight) if ctx.needs_input_grad[0] else None
            gw = g.t().mm(x) if ctx.needs_input_grad[1] else None
            gb = g.sum(0) if bias is not None and ctx.needs_input_grad[2] else None
            return gx, gw, gb

    x, w = normal(m, 5, 4), normal(m, 3, 4, start=20, requires_grad=True)
    b = normal(m, 3, start=40, requires_grad=True)
    Linear.apply(x, w, b).tanh().sum().backward()
    Linear.apply(x, w).sum().backward()
    inputs = (normal(m, 5, 4, requires_grad=True), w, b)
    return x.grad, w.grad, b.grad, m.autograd.gradcheck(Linear.apply, inputs)


@same
def test_a_straight_through_estimator(m):
    class Sign(m.autograd.Function):
        @staticmethod
        def forward(ctx, x, slope):
            ctx.slope = slope
            return m.sign(x)

        @staticmethod
        def backward(ctx, g):
            return g * ctx.slope, None

    x = normal(m, 5, requires_grad=True)
    (Sign.apply(x, 0.5) * m.arange(5)).sum().backward()
    return x.grad


@same
def test_a_gradient_turned_round(m):
    class Reverse(m.autograd.Function):
        @staticmethod
        def forward(ctx, x, weight):
            ctx.weight = weight
            return x.view_as(x)

        @staticmethod
        def backward(ctx, g):
            return g.neg() * ctx.weight, None

    x = normal(m, 3, requires_grad=True)
    (Reverse.apply(x, 0.3) ** 2).sum().backward()
    return x.grad


@same
def test_activations_computed_twice_to_save_memory(m):
    class Checkpoint(m.autograd.Function):
        @staticmethod
        def forward(ctx, run, *tensors):
            ctx.run = run
            ctx.save_for_backward(*tensors)
            with m.no_grad():
                return run(*tensors)

        @staticmethod
        def backward(ctx, g):
            inputs = [t.detach().requires_grad_() for t in ctx.saved_tensors]
            with m.enable_grad():
                y = ctx.run(*inputs)
            return None, *m.autograd.grad(y, inputs, g)

    def block(x, w):
        return m.tanh(x @ w) @ w.t()

    x = normal(m, 3, 4, requires_grad=True)
    w = normal(m, 4, 6, start=50, requires_grad=True)
    Checkpoint.apply(block, x, w).pow(2).sum().backward()
    kept = [x.grad, w.grad]
    x.grad = w.grad = None
    block(x, w).pow(2).sum().backward()
    return kept, x.grad, w.grad, m.allclose(kept[1], w.grad)


# --- Networks by hand ---------------------------------------------------------------


@same
def test_logistic_regression(m):
    x = normal(m, 40, 3)
    y = (x @ m.tensor([1.5, -2.0, 0.5], dtype=m.double) > 0).double()
    w, b = m.zeros(3, dtype=m.double), m.zeros(1, dtype=m.double)
    w.requires_grad_(True)
    b.requires_grad_(True)
    for _ in range(50):
        p = m.sigmoid(x @ w + b)
        loss = -(y * p.log() + (1 - y) * (1 - p).log()).mean()
        loss.backward()
        for each in (w, b):
            each.data -= 0.5 * each.grad.data
            each.grad.zero_()
    right = ((p > 0.5) == y.bool()).float().mean()
    return loss, w, b, right


@same
def test_two_layers_with_the_gradients_by_hand(m):
    x, y = normal(m, 8, 6), normal(m, 8, 2, start=50)
    w1, w2 = normal(m, 6, 7, start=70), normal(m, 7, 2, start=120)
    for _ in range(20):
        h = x.mm(w1)
        relu = h.clamp(min=0)
        out = relu.mm(w2)
        g = 2.0 * (out - y)
        to_w2 = relu.t().mm(g)
        g = g.mm(w2.t()).clone()
        g[h < 0] = 0
        w1 -= 1e-3 * x.t().mm(g)
        w2 -= 1e-3 * to_w2
    return w1, w2, (out - y).pow(2).sum()


@same
def test_digits_by_a_log_softmax(m):
    x, labels = normal(m, 20, 8), m.tensor([i % 4 for i in range(20)])
    w = (normal(m, 8, 4, start=200) / math.sqrt(8)).requires_grad_()
    b = m.zeros(4, dtype=m.double, requires_grad=True)

    def log_softmax(x):
        return x - x.exp().sum(-1).log().unsqueeze(-1)

    def accuracy(out):
        return (m.argmax(out, dim=1) == labels).float().mean()

    for start in range(0, 20, 5):
        some = slice(start, start + 5)
        out = log_softmax(x[some] @ w + b)
        loss = -out[range(5), labels[some]].mean()
        loss.backward()
        descend(m, (w, b), 0.5)
    return loss, w, b, accuracy(log_softmax(x @ w + b))


@same
def test_momentum_and_adam_by_hand(m):
    def run(step):
        w = normal(m, 5).requires_grad_()
        states = [m.zeros_like(w), m.zeros_like(w)]
        for t in range(1, 30):
            loss = ((w - 1) ** 2 * m.arange(1.0, 6.0)).sum()
            (g,) = m.autograd.grad(loss, w)
            with m.no_grad():
                w.add_(step(g, states, t))
        return w, states

    def momentum(g, states, t):
        states[0].mul_(0.9).add_(g)
        return -0.01 * states[0]

    def adam(g, states, t):
        first, second = states
        first.mul_(0.9).add_(g, alpha=0.1)
        second.mul_(0.999).addcmul_(g, g, value=0.001)
        size = second.sqrt().div_(math.sqrt(1 - 0.999**t)).add_(1e-8)
        return m.zeros_like(g).addcdiv_(first, size, value=-0.1 / (1 - 0.9**t))

    return run(momentum), run(adam)


@same
def test_running_statistics_under_no_grad(m):
    mean, var = m.zeros(3), m.ones(3)
    gamma, beta = m.ones(3, requires_grad=True), m.zeros(3, requires_grad=True)
    count = m.tensor(0)
    for i in range(4):
        x = normal(m, 6, 3, start=20 * i, dtype="float32") * (i + 1) + i
        batch_mean, batch_var = x.mean(0), x.var(0, unbiased=False)
        with m.no_grad():
            mean.mul_(0.9).add_(batch_mean, alpha=0.1)
            var.lerp_(x.var(0), 0.1)
            count += 1
        y = (x - batch_mean) / m.sqrt(batch_var + 1e-5) * gamma + beta
        y.pow(3).sum().backward()
    return mean, var, count, gamma.grad, beta.grad, mean.requires_grad


@same
def test_a_teacher_follows_by_a_moving_average(m):
    student = normal(m, 4, requires_grad=True)
    teacher = student.detach().clone()
    for _ in range(10):
        loss = (student.sin() - 0.3).pow(2).sum() + (student - teacher).abs().mean()
        loss.backward()
        descend(m, [student], 0.2)
        with m.no_grad():
            teacher.mul_(0.8).add_(student, alpha=0.2)
    return student, teacher, teacher.requires_grad


@same
def test_dropout_by_a_given_mask(m):
    x = normal(m, 4, 5, requires_grad=True)
    keep = (normal(m, 4, 5, start=99) > -0.5).to(x.dtype)
    (x * keep / 0.7).tanh().sum().backward()
    return x.grad


@same
def test_a_convolution_by_unfold(m):
    image = normal(m, 2, 6, 6, requires_grad=True)
    kernel = normal(m, 4, 9, start=100, requires_grad=True)
    patches = image.unfold(1, 3, 1).unfold(2, 3, 1)  # (2, 4, 4, 3, 3)
    y = patches.reshape(2, 4, 4, 9) @ kernel.t()
    y.relu().mean().backward()
    return y, image.grad, kernel.grad


@same
def test_pooling_by_views(m):
    x = normal(m, 1, 4, 4, requires_grad=True)
    y = x.view(1, 2, 2, 2, 2).amax((2, 4))
    (y * m.tensor([[1.0, 2.0], [3.0, 4.0]])).sum().backward()
    return y, x.grad


# --- Sequences ----------------------------------------------------------------------


@same
def test_a_recurrent_cell_over_unbind(m):
    sequence = normal(m, 3, 7, 4)  # (batch, time, feature)
    w = normal(m, 4, 5, start=90, requires_grad=True)
    u = normal(m, 5, 5, start=120, requires_grad=True)
    b = m.zeros(5, dtype=m.double, requires_grad=True)
    h = m.zeros(3, 5, dtype=m.double)
    states = []
    for x in sequence.unbind(1):
        h = m.tanh(x @ w + h @ u + b)
        states.append(h)
    y = m.stack(states, dim=1)
    (y**2).mean().backward()
    return y, w.grad, u.grad, b.grad


@same
def test_a_gated_cell(m):
    w = normal(m, 16, 7, requires_grad=True)
    h, c = m.zeros(2, 4, dtype=m.double), m.zeros(2, 4, dtype=m.double)
    for x in normal(m, 5, 2, 3, start=200):
        i, f, g, o = (m.cat((x, h), 1) @ w.t()).chunk(4, dim=1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
    h.sum().backward()
    return h, c, w.grad


@same
def test_gradients_clipped_by_their_norm(m):
    w = [normal(m, 3, 3, requires_grad=True), normal(m, 3, start=9, requires_grad=True)]
    (100 * (w[0] @ w[1]).pow(2).sum()).backward()
    total = m.norm(m.stack([p.grad.norm(2) for p in w]), 2)
    factor = (1.0 / (total + 1e-6)).clamp(max=1.0)
    for p in w:
        p.grad.detach().mul_(factor)
    return total, [p.grad for p in w]


@same
def test_attention_with_a_mask(m):
    q, k, v = (normal(m, 2, 3, 5, 4, start=i, requires_grad=True) for i in (0, 9, 90))
    scores = m.einsum("bhid,bhjd->bhij", q, k) / math.sqrt(4)
    mask = m.triu(m.ones(5, 5), diagonal=1).bool()
    weights = scores.masked_fill(mask, float("-inf")).softmax(dim=-1)
    y = m.einsum("bhij,bhjd->bhid", weights, v)
    y = y.transpose(1, 2).contiguous().view(2, 5, 12)
    y.pow(2).sum().backward()
    return y, weights, q.grad, k.grad, v.grad


@same
def test_positions_as_sines(m):
    table = m.zeros(10, 6)
    position = m.arange(0, 10, dtype=m.float).unsqueeze(1)
    scale = m.exp(m.arange(0, 6, 2).float() * (-math.log(10000.0) / 6))
    table[:, 0::2] = m.sin(position * scale)
    table[:, 1::2] = m.cos(position * scale)
    return table


@same
def test_an_embedding_by_indexing(m):
    table = normal(m, 10, 3, requires_grad=True)
    words = m.tensor([[1, 2, 1], [9, 1, 0]])
    (table[words].sum(1).tanh() * m.tensor([1.0, 2.0, 3.0])).sum().backward()
    by_indexing = table.grad
    again = m.zeros_like(table).requires_grad_()
    again.index_select(0, words.view(-1)).view(2, 3, 3).mul(2).sum().backward()
    by_hand = m.zeros(10, 3).index_put_((words,), m.ones(2, 3, 3), accumulate=True)
    return by_indexing, again.grad, by_hand


@same
def test_the_loss_of_picked_classes(m):
    scores = normal(m, 6, 4, requires_grad=True)
    target = m.tensor([3, 0, 1, 1, 2, 3])
    log = scores.log_softmax(1)
    loss = -log.gather(1, target.unsqueeze(1)).squeeze(1).mean()
    loss.backward()
    hot = m.zeros(6, 4, dtype=m.double).scatter_(1, target.unsqueeze(1), 1.0)
    return loss, scores.grad, (scores.softmax(1) - hot).detach() / 6


@same
def test_padded_sequences_and_lengths(m):
    lengths = m.tensor([4, 2, 3])
    x = normal(m, 3, 4, 2, requires_grad=True)
    mask = m.arange(4)[None, :] < lengths[:, None]
    mean = (x * mask.unsqueeze(-1)).sum(1) / lengths.unsqueeze(1)
    last = x[m.arange(3), lengths - 1]
    order = m.sort(lengths, descending=True)[1]
    (mean * last).sum().backward()
    return mean, last, order, x[mask], x.grad


# --- Ways to use a gradient ---------------------------------------------------------


@same
def test_gradients_add_up_over_small_batches(m):
    x, w = normal(m, 12, 3), normal(m, 3, start=50, requires_grad=True)
    for part in x.split(4):
        ((part @ w).pow(2).mean() / 3).backward()
    added = w.grad.clone()
    w.grad.zero_()
    (x @ w).pow(2).mean().backward()
    return added, m.allclose(added, w.grad)


@same
def test_adversarial_inputs(m):
    w = normal(m, 4, 2)
    x = normal(m, 3, 4, start=20)
    x.requires_grad = True
    loss = -(x @ w).log_softmax(-1)[:, 0].mean()
    loss.backward()
    moved = m.clamp(x + 0.1 * x.grad.sign(), -1, 1)
    return moved, moved.requires_grad, moved.is_leaf


@same
def test_reparametrized_samples(m):
    mean = normal(m, 2, 3, requires_grad=True)
    log = normal(m, 2, 3, start=30, requires_grad=True)
    z = mean + (0.5 * log).exp() * normal(m, 2, 3, start=60)
    kl = -0.5 * m.sum(1 + log - mean.pow(2) - log.exp())
    ((z - 1).pow(2).sum() + kl).backward()
    return kl, mean.grad, log.grad


@same
def test_a_policy_gradient(m):
    scores = normal(m, 5, 3, requires_grad=True)
    actions, rewards = m.tensor([0, 2, 1, 1, 0]), [1.0, 0.0, -1.0, 2.0, 0.5]
    returns, total = [], 0.0
    for r in reversed(rewards):
        total = r + 0.9 * total
        returns.insert(0, total)
    returns = m.tensor(returns, dtype=m.double)
    returns = (returns - returns.mean()) / (returns.std() + 1e-9)
    log = m.log_softmax(scores, dim=-1)
    loss = m.cat([-log[i, a].view(1) * returns[i] for i, a in enumerate(actions)]).sum()
    loss.backward()
    return returns, loss, scores.grad


@same
def test_hooks_watch_and_change_gradients(m):
    seen = []
    x = normal(m, 3, requires_grad=True)
    y = x * 2
    y.register_hook(lambda g: seen.append(g))
    handle = x.register_hook(lambda g: g * 10)
    y.pow(2).sum().backward()
    handle.remove()
    first, x.grad = x.grad, None
    (x * 2).sum().backward()
    return seen, first, x.grad


@same
def test_what_goes_wrong(m):
    x = m.ones(3, requires_grad=True)
    w = m.ones(2, 2, requires_grad=True)

    def write_to_leaf():
        w[0, 0] = 5

    def written_before_backward():
        y = w.exp()
        z = (y * w).sum()
        y += 1
        z.backward()

    def twice():
        y = (x * x).sum()
        y.backward()
        y.backward()

    return [
        failure(x.numpy),
        failure((x * 2).backward),
        failure(m.ones(1).backward),
        failure(write_to_leaf),
        failure(written_before_backward),
        failure(twice),
        failure(m.autograd.grad, x.sum(), w),
        failure(m.tensor, [1, 2], requires_grad=True),
        failure(lambda: x @ w),
        failure(lambda: x + w),
        failure(lambda: m.cat([x, w])),
        failure(m.cat, []),
        failure(lambda: bool(x == 1)),
        failure(lambda: x.view(2)),
        failure(lambda: x[3]),
        failure(lambda: float(x)),
        failure(lambda: w.to("nowhere")),
    ]
