"""`GradScaler` does what PyTorch's does on the CPU."""

from __future__ import annotations

import pytest

from tests.against_torch.programs import failure, same


def made(m, **options):
    """A weight, its optimizer and a scaler."""
    w = m.tensor([1.0, -2.0], requires_grad=True)
    options = {"init_scale": 64.0, "growth_interval": 2, **options}
    return w, m.optim.SGD([w], lr=0.1), m.amp.GradScaler("cpu", **options)


@same
def test_steps_are_left_out_and_the_scale_follows(m):
    w, optimizer, scaler = made(m)
    found = []
    for factor in (1.0, float("inf"), 1.0, 1.0, float("nan"), 2.0, 1.0, 1.0):
        optimizer.zero_grad()
        loss = (w * w).sum() * factor
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        found.append((w.detach().clone(), scaler.get_scale()))
    return found, scaler.state_dict()


@same
def test_clipping_between(m):
    w, optimizer, scaler = made(m, init_scale=1024.0)
    scaler.scale([(w**3).sum(), w.sum()])[0].backward()
    scaler.unscale_(optimizer)
    norm = m.nn.utils.clip_grad_norm_([w], 1.0)
    scaler.step(optimizer)
    scaler.update(8.0)
    return norm, w, scaler.get_scale()


@same
def test_misuse(m):
    w, optimizer, scaler = made(m)
    found = [failure(scaler.scale, 3)]
    scaler.scale(w.sum()).backward()
    scaler.unscale_(optimizer)
    found.append(failure(scaler.unscale_, optimizer))
    scaler.step(optimizer)
    found += [failure(scaler.step, optimizer), failure(scaler.unscale_, optimizer)]
    return [*found, failure(scaler.load_state_dict, {})]


@same
def test_a_saved_state_goes_on(m):
    w, optimizer, scaler = made(m)
    scaler.scale(w.sum()).backward()
    scaler.step(optimizer)
    scaler.update()
    other = m.amp.GradScaler("cpu")
    other.load_state_dict(scaler.state_dict())
    return other.state_dict(), other.get_growth_factor(), other.get_growth_interval()


@pytest.mark.parametrize("enabled", [False])
@same
def test_a_disabled_one_lets_everything_pass(m, enabled):
    w, optimizer, scaler = made(m, enabled=enabled)
    loss = w.sum()
    kept = scaler.scale(loss) is loss
    loss.backward()
    scaler.step(optimizer)
    scaler.update()
    return kept, w, scaler.get_scale(), scaler.is_enabled(), scaler.state_dict()
