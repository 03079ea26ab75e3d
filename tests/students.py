"""Networks as students of the exercise write them, in plain torch and without attnprobe: names and details vary."""

from __future__ import annotations

import math

import torch
from torch import nn


class Plain(nn.Module):
    """The exercise's module as it is usually written down."""

    def __init__(self, vocab=10, dim=5, att=5, hidden=200) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocab, dim)
        self.query = nn.Parameter(torch.randn(1, att))
        self.WK = nn.Linear(dim, att)
        self.WV = nn.Linear(dim, 1)
        self.nn = nn.Sequential(nn.Linear(1, hidden), nn.ReLU(), nn.Linear(hidden, 1), nn.Sigmoid())

    def forward(self, x):
        e = self.embed(x)
        scores = self.WK(e) @ self.query.T / self.query.shape[1] ** 0.5
        pooled = (torch.softmax(scores, dim=1) * self.WV(e)).sum(dim=1)
        return self.nn(pooled)


class Renamed(nn.Module):
    """Other names, no biases in the projections, a query with an extra axis, logits at the end."""

    def __init__(self, vocab=7, dim=3, att=4, hidden=11) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab, dim)
        self.q = nn.Parameter(torch.randn(1, 1, att))
        self.to_k = nn.Linear(dim, att, bias=False)
        self.to_v = nn.Linear(dim, 1, bias=False)
        self.mlp = nn.Sequential(nn.Flatten(), nn.Linear(1, hidden), nn.ReLU(), nn.Dropout(0.0), nn.Linear(hidden, 1))

    def forward(self, x):
        e = self.embedding(x)
        attention = torch.softmax(self.q @ self.to_k(e).transpose(1, 2) / math.sqrt(self.q.shape[-1]), dim=-1)
        return torch.sigmoid(self.mlp((attention @ self.to_v(e)).squeeze(-1)))


class Nested(nn.Module):
    """Parts in submodules, layers with names, a query that is a vector."""

    def __init__(self, vocab=6, dim=2, att=3, hidden=9) -> None:
        super().__init__()

        class Attention(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.query_vector = nn.Parameter(torch.randn(att))
                self.keyProj = nn.Linear(dim, att)
                self.value_proj = nn.Linear(dim, 1)

            def forward(self, e):
                scores = (self.keyProj(e) * self.query_vector).sum(-1) / att**0.5
                return (scores.softmax(-1) * self.value_proj(e)[..., 0]).sum(-1, keepdim=True)

        self.emb = nn.Embedding(vocab, dim)
        self.attn = Attention()
        self.fc1 = nn.Linear(1, hidden)
        self.fc2 = nn.Linear(hidden, 1)

    def forward(self, x):
        return torch.sigmoid(self.fc2(torch.relu(self.fc1(self.attn(self.emb(x))))))


class Bare(nn.Module):
    """Matrices instead of layers, multiplied from the right; scores without scaling."""

    def __init__(self, vocab=5, dim=4, att=3, hidden=8) -> None:
        super().__init__()
        self.W_E = nn.Parameter(torch.randn(vocab, dim))
        self.W_Q = nn.Parameter(torch.randn(att, 1))
        self.W_K = nn.Parameter(torch.randn(dim, att))
        self.b_K = nn.Parameter(torch.randn(att))
        self.W_V = nn.Parameter(torch.randn(dim, 1))
        self.b_V = nn.Parameter(torch.randn(()))
        self.readout = nn.Sequential(nn.Linear(1, hidden), nn.ReLU(), nn.Linear(hidden, 1, bias=False))

    def forward(self, x):
        e = self.W_E[x]
        attention = torch.softmax((e @ self.W_K + self.b_K) @ self.W_Q, dim=1)
        return torch.sigmoid(self.readout((attention * (e @ self.W_V + self.b_V)).sum(1)))


SCALES = {Plain: "sqrt", Renamed: "sqrt", Nested: "sqrt", Bare: "none"}


def trained(kind: type[nn.Module], steps: int = 150, seed: int = 0) -> nn.Module:
    """A network after some steps of a student's own loop, so that every weight has moved."""
    torch.manual_seed(seed)
    model = kind()
    for _ in range(steps):
        x = torch.randint(0, 5, (64, 10))
        y = ((x == 2).sum(1) > (x == 4).sum(1)).float()[:, None]
        model.zero_grad()
        nn.functional.binary_cross_entropy(model(x), y).backward()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter -= 0.02 * parameter.grad.sign()  # Adam without memory: quick to load, quick to learn
    return model
