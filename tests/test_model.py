"""The exercise's network to the letter, and its initial weights."""

from __future__ import annotations

import inspect

import matplotlib as mpl
import naive
import numpy as np
import pytest
import torch

import attnprobe as ap
from attnprobe.model import AttentionModel, initial_weights, parameter_shapes, split

ODD = ap.Config(rule="n5 > n3", vocab_size=7, length=11, embed_dim=3, att_dim=2, hidden=13)
SHAPES = {
    "query": (1, 5),
    "embed.weight": (10, 5),
    "WK.weight": (5, 5),
    "WK.bias": (5,),
    "WV.weight": (1, 5),
    "WV.bias": (1,),
    "nn.0.weight": (200, 1),
    "nn.0.bias": (200,),
    "nn.2.weight": (1, 200),
    "nn.2.bias": (1,),
}


def odd_model(seed: int = 0) -> AttentionModel:
    return AttentionModel.from_weights(ODD, odd_weights(seed))


def odd_weights(seed: int = 0) -> dict[str, np.ndarray]:
    return {name: w[0] for name, w in split(ODD, initial_weights(ODD, np.array([seed]))).items()}


# --- the exercise ---------------------------------------------------------------------------------


def test_the_exercises_names_and_sizes() -> None:
    model = AttentionModel()
    assert {name: tuple(w.shape) for name, w in model.state_dict().items()} == SHAPES
    assert list(model.state_dict()) == list(SHAPES)
    assert (model.embed_dim, model.att_dim) == (5, 5)
    assert [type(layer).__name__ for layer in model.nn] == ["Linear", "ReLU", "Linear", "Sigmoid"]
    assert isinstance(model.query, torch.nn.Parameter)
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert parameter_shapes(ap.Config()) == SHAPES


def test_sizes_have_their_order_and_defaults() -> None:
    signature = inspect.signature(AttentionModel)
    assert [(p.name, p.default) for p in signature.parameters.values()] == [
        ("embed_dim", 5),
        ("att_dim", 5),
        ("hidden", 200),
        ("vocab_size", 10),
    ]
    shapes = {name: tuple(w.shape) for name, w in AttentionModel(3, 2, 13, 7).state_dict().items()}
    assert shapes == parameter_shapes(ODD)
    assert shapes["embed.weight"] == (7, 3)
    assert shapes["WK.weight"] == (2, 3)
    assert shapes["nn.0.weight"] == (13, 1)


def test_shapes() -> None:
    model = odd_model()
    X, _ = ODD.task.make_batch(17, seed=1, step=0)
    e = model.embed(X)
    assert e.shape == (17, 11, 3)
    assert model.attention(e).shape == (17, 1, 11)
    assert model.values(e).shape == (17, 11, 1)
    assert model(X).shape == (17, 1)


def test_attention_is_a_distribution_over_positions() -> None:
    model = odd_model()
    X, _ = ODD.task.make_batch(17, seed=1, step=0)
    pattern = model.attention(model.embed(X))
    assert (pattern > 0).all()
    assert pattern.std() > 0.01  # not uniform: there is something to add up
    torch.testing.assert_close(pattern.sum(-1), torch.ones(17, 1))


def test_forward_is_the_naive_loop() -> None:
    weights = odd_weights(3)
    model = AttentionModel.from_weights(ODD, weights).double()
    X, _ = ODD.task.make_batch(19, seed=1, step=0)
    patterns = model.attention(model.embed(X))[:, 0]
    for sequence, p, pattern in zip(X.tolist(), model(X)[:, 0].tolist(), patterns.tolist(), strict=True):
        expected, _, expected_pattern = naive.forward(weights, sequence)
        assert p == pytest.approx(expected, rel=1e-12)
        assert pattern == pytest.approx(expected_pattern, rel=1e-12)


def test_order_does_not_matter() -> None:
    model = odd_model().double()
    X, _ = ODD.task.make_batch(19, seed=1, step=0)
    shuffled = X[:, torch.tensor([3, 9, 0, 10, 5, 1, 8, 2, 7, 6, 4])]
    assert not (shuffled == X).all()
    torch.testing.assert_close(model(X), model(shuffled), rtol=1e-13, atol=0)
    assert model(X).std() > 0


def plot_model(model, n=8):
    """A course student's own code, as it was pasted in."""
    import matplotlib.pyplot as plt

    X, y = ap.make_batch(n)
    with torch.no_grad():
        emb = model.embed(X)
        a = model.attention(emb)
        v = model.values(emb)
        p = model(X)
    plt.figure(figsize=(12, 4))
    plt.subplot(131)
    plt.imshow(a[:, 0, :], vmin=0, vmax=1)
    plt.title("attention")
    for i in range(n):
        for j in range(X.shape[1]):
            plt.text(j, i, X[i, j].item(), ha="center", va="center", color="red" if X[i, j] in [2, 4] else "white")
    plt.subplot(132)
    plt.imshow(torch.where(a[:, 0, :] > 0.1, v[:, :, 0], torch.tensor(float("nan"))))
    plt.title("values where attention > 0.1")
    for i in range(n):
        for j in range(X.shape[1]):
            if a[i, 0, j] > 0.1:
                plt.text(j, i, f"{v[i, j, 0].item():.1f}", ha="center", va="center", fontsize=6)
    plt.subplot(133)
    plt.plot(p[:, 0].numpy(), label="model")
    plt.plot(y[:, 0].numpy(), "o", label="truth")
    plt.legend()
    return plt.gcf(), X, a


# torch's tensors still lack numpy 2's copy keyword
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
def test_a_students_plot_runs_unchanged() -> None:
    backend = mpl.get_backend()
    mpl.use("agg")
    import matplotlib.pyplot as plt

    try:
        torch.manual_seed(1)
        figure, X, a = plot_model(AttentionModel())
        figure.canvas.draw()
        digits, shown = figure.axes[0].texts, figure.axes[1].texts
        assert [text.get_text() for text in digits] == [str(digit) for digit in X.flatten().tolist()]
        red = [text.get_color() == "red" for text in digits]
        assert red == [digit in (2, 4) for digit in X.flatten().tolist()]
        assert len(shown) == int((a > 0.1).sum()) > 0
    finally:
        plt.close("all")
        mpl.use(backend)


def test_fit_is_the_exercises_loop() -> None:
    torch.manual_seed(5)
    model = AttentionModel()
    trajectory = ap.fit(model, steps=7)
    torch.manual_seed(5)
    twin = AttentionModel()
    optimizer = torch.optim.Adam(twin.parameters(), lr=5e-5)
    expected = []
    for _ in range(7):
        X, y = ap.make_batch(500)
        loss = torch.nn.functional.binary_cross_entropy(twin(X), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        expected.append(loss.item())
    assert trajectory == expected
    for name, parameter in model.state_dict().items():
        assert (parameter == twin.state_dict()[name]).all()


def test_fit_learns() -> None:
    torch.manual_seed(0)
    trajectory = ap.fit(AttentionModel(), steps=300, lr=3e-3, seed=0)
    assert np.mean(trajectory[:20]) > 0.6
    assert np.mean(trajectory[-20:]) < 0.4


# --- initial weights ------------------------------------------------------------------------------


@pytest.mark.parametrize("config", [ap.Config(), ODD], ids=["default", "odd"])
def test_initial_weights_are_torchs_own_bit_for_bit(config) -> None:
    seeds = np.array([0, 1, 17, 2**40 + 1, 2**63 - 1])
    flat = initial_weights(config, seeds)
    shapes = parameter_shapes(config)
    assert flat.dtype == np.float32
    assert flat.shape == (5, sum(int(np.prod(shape)) for shape in shapes.values()))
    named = split(config, flat)
    assert list(named) == list(shapes)
    for row, seed in enumerate(seeds.tolist()):
        torch.manual_seed(seed)
        model = AttentionModel(config.embed_dim, config.att_dim, config.hidden, config.vocab_size)
        for name, parameter in model.state_dict().items():
            assert named[name][row].shape == shapes[name]
            assert named[name][row].tobytes() == parameter.numpy().tobytes()


def test_initial_weights_leave_torchs_generator_alone() -> None:
    torch.manual_seed(11)
    before = torch.get_rng_state()
    initial_weights(ODD, np.arange(3))
    assert (torch.get_rng_state() == before).all()


def test_initial_weights_leave_torchs_generator_alone_when_they_fail() -> None:
    torch.manual_seed(11)
    before = torch.get_rng_state()
    with pytest.raises(TypeError):
        initial_weights(ODD, [1, None])
    assert (torch.get_rng_state() == before).all()


def test_split_gives_views() -> None:
    flat = np.arange(2 * 3 * 75, dtype=np.float32).reshape(2, 3, 75)
    named = split(ODD, flat)
    assert {name: w.shape[2:] for name, w in named.items()} == parameter_shapes(ODD)
    assert all(np.shares_memory(w, flat) for w in named.values())
    assert (np.concatenate([w.reshape(2, 3, -1) for w in named.values()], axis=2) == flat).all()


# --- weights into a model -------------------------------------------------------------------------


def test_from_weights_round_trip() -> None:
    weights = odd_weights(7)
    model = AttentionModel.from_weights(ODD, weights)
    assert list(model.state_dict()) == list(weights)
    for name, parameter in model.named_parameters():
        assert parameter.requires_grad
        assert parameter.device.type == "cpu"
        assert parameter.detach().numpy().tobytes() == weights[name].tobytes()
    assert (model.embed_dim, model.att_dim) == (3, 2)


def test_from_weights_copies() -> None:
    weights = odd_weights(7)
    kept = {name: w.copy() for name, w in weights.items()}
    ap.fit(AttentionModel.from_weights(ODD, weights), steps=2, lr=0.1, task=ODD.task, seed=0)
    for name, w in weights.items():
        assert (w == kept[name]).all()


def test_from_weights_leaves_torchs_generator_alone() -> None:
    weights = odd_weights(7)
    torch.manual_seed(13)
    before = torch.get_rng_state()
    AttentionModel.from_weights(ODD, weights)
    assert (torch.get_rng_state() == before).all()
