"""Programs of linear algebra, and of higher derivatives, as in test_programs."""

from __future__ import annotations

from tests.against_torch.programs import normal, same

# --- Linear algebra -----------------------------------------------------------------


@same
def test_power_iteration(m):
    a = normal(m, 5, 5)
    a = a @ a.t()
    v = m.ones(5, dtype=m.double)
    for _ in range(300):
        v = a.mv(v)
        v = v / v.norm()
    value = v.dot(a.mv(v))
    return value, m.linalg.eigvalsh(a)[-1], m.allclose(a.mv(v), value * v, atol=1e-6)


@same
def test_spectral_normalization(m):
    w = normal(m, 4, 3, requires_grad=True)
    u = m.ones(4, dtype=m.double)
    with m.no_grad():
        for _ in range(20):
            v = w.t().mv(u)
            v /= v.norm() + 1e-12
            u = w.mv(v)
            u /= u.norm() + 1e-12
    sigma = m.dot(u, m.mv(w, v))
    (w / sigma).sum().backward()
    return sigma, w.grad


@same
def test_least_squares(m):
    a, b = normal(m, 12, 3), normal(m, 12, start=50)
    ways = [
        m.linalg.solve(a.t() @ a, a.t() @ b),
        m.pinverse(a) @ b,
        m.inverse(a.t().mm(a)).mm(a.t()).mv(b),
        m.cholesky_solve((a.t() @ b)[:, None], m.linalg.cholesky(a.t() @ a))[:, 0],
    ]
    return ways, [m.allclose(ways[0], each) for each in ways]


@same
def test_principal_components(m):
    x = normal(m, 30, 4) * m.tensor([3.0, 1.0, 0.5, 0.1])
    centred = x - x.mean(dim=0, keepdim=True)
    values, vectors = m.linalg.eigh(centred.t() @ centred / 29)
    _, s, _ = m.linalg.svd(centred, full_matrices=False)
    projected = (centred @ vectors[:, -2:]).abs()
    return values, s**2 / 29, m.cov(x.t()), projected


@same
def test_distances_and_neighbours(m):
    x, y = normal(m, 6, 2, requires_grad=True), normal(m, 4, 2, start=40)
    squares = (x.unsqueeze(1) - y.unsqueeze(0)).pow(2).sum(-1)
    near, which = squares.topk(2, dim=1, largest=False)
    near.sqrt().sum().backward()
    return squares, which, m.cdist(x, y), x.grad


@same
def test_clustering(m):
    x = m.cat([normal(m, 10, 2, start=i) * 0.3 + i for i in (0, 3, 6)])
    centres = x[[0, 10, 20]].clone()
    for _ in range(5):
        nearest = m.cdist(x, centres).argmin(1)
        for i in range(3):
            centres[i] = x[nearest == i].mean(0)
    return centres, nearest, m.bincount(nearest)


# --- Derivatives of higher order ----------------------------------------------------


@same
def test_jacobian_and_hessian(m):
    x, w = normal(m, 3), normal(m, 4, 3, start=10)
    f = m.autograd.functional

    def layer(x):
        return m.tanh(w @ x)

    def energy(x):
        return layer(x).pow(3).sum()

    vector = m.ones(3, dtype=m.double)
    return [
        f.jacobian(layer, x),
        f.hessian(energy, x),
        f.vjp(layer, x, m.ones(4, dtype=m.double)),
        f.jvp(layer, x, vector),
        f.hvp(energy, x, vector),
        f.vhp(energy, x, vector),
    ]


@same
def test_a_jacobian_row_by_row(m):
    x = normal(m, 3, requires_grad=True)
    y = x.exp().cumsum(0)
    unit = m.eye(3, dtype=m.double)
    rows = [m.autograd.grad(y, x, each, retain_graph=True)[0] for each in unit]
    return m.stack(rows)


@same
def test_a_hessian_by_two_passes(m):
    x = normal(m, 4, requires_grad=True)
    (g,) = m.autograd.grad((x**3).sum() * x.prod(), x, create_graph=True)
    rows = [m.autograd.grad(each, x, retain_graph=True)[0] for each in g]
    return m.stack(rows)


@same
def test_newton_steps(m):
    x = m.tensor([2.5], dtype=m.double, requires_grad=True)
    for _ in range(6):
        y = x**4 / 4 - x**2 + x
        (slope,) = m.autograd.grad(y, x, create_graph=True)
        (curvature,) = m.autograd.grad(slope, x)
        with m.no_grad():
            x -= slope / curvature
    return x, slope


@same
def test_fifth_derivative(m):
    x = m.tensor(0.4, dtype=m.double, requires_grad=True)
    y, found = m.sin(2 * x) * m.exp(x), []
    for _ in range(5):
        (y,) = m.autograd.grad(y, x, create_graph=True)
        found.append(y)
    return found


@same
def test_the_gradient_penalty_of_a_critic(m):
    real, fake = normal(m, 6, 4), normal(m, 6, 4, start=30)
    w1 = normal(m, 4, 8, start=60, requires_grad=True)
    w2 = normal(m, 8, 1, start=100, requires_grad=True)

    def critic(x):
        h = x @ w1
        return m.where(h > 0, h, 0.2 * h).tanh() @ w2

    alpha = normal(m, 6, 1, start=150).sigmoid()
    mixed = (alpha * real + (1 - alpha) * fake).requires_grad_(True)
    scores = critic(mixed)
    gradients = m.autograd.grad(
        outputs=scores,
        inputs=mixed,
        grad_outputs=m.ones_like(scores),
        create_graph=True,
        retain_graph=True,
        only_inputs=True,
    )[0]
    penalty = ((gradients.view(6, -1).norm(2, dim=1) - 1) ** 2).mean()
    loss = critic(fake).mean() - critic(real).mean() + 10 * penalty
    loss.backward()
    return penalty, loss, w1.grad, w2.grad, mixed.grad


@same
def test_learning_to_learn(m):
    w = normal(m, 3, 1, requires_grad=True)
    b = m.zeros(1, dtype=m.double, requires_grad=True)
    total = 0
    for task in range(3):
        x, y = normal(m, 8, 3, start=30 * task), normal(m, 8, 1, start=200 + task)
        inner = ((x @ w + b).tanh() - y).pow(2).mean()
        gw, gb = m.autograd.grad(inner, (w, b), create_graph=True)
        fast = w - 0.4 * gw, b - 0.4 * gb
        total = total + ((x @ fast[0] + fast[1]).tanh() + y).pow(2).mean()
    total.backward()
    return total, w.grad, b.grad


@same
def test_learning_through_three_steps(m):
    rate = m.tensor(0.1, dtype=m.double, requires_grad=True)
    w = normal(m, 4).requires_grad_()
    now = w
    for _ in range(3):
        (g,) = m.autograd.grad((now**4).sum(), now, create_graph=True)
        now = now - rate * g
    now.pow(2).sum().backward()
    return now, rate.grad, w.grad


@same
def test_implicit_differentiation_of_a_fixed_point(m):
    w = (normal(m, 3, 3) * 0.2).requires_grad_()
    x = normal(m, 3, start=20)
    with m.no_grad():
        z = m.zeros(3, dtype=m.double)
        for _ in range(100):
            z = m.tanh(w @ z + x)
    z = z.requires_grad_()
    y = m.tanh(w @ z + x)
    jacobian = m.stack([m.autograd.grad(e, z, retain_graph=True)[0] for e in y])
    solved = m.linalg.solve(m.eye(3, dtype=m.double) - jacobian.t(), m.ones_like(z))
    return z, m.autograd.grad(y, w, solved)[0]
