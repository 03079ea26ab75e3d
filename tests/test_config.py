"""Settings: the exercise's by default, limits in words, frozen."""

from __future__ import annotations

import pytest

import attnprobe as ap

DEFAULTS = {
    "rule": "n2 > n4",
    "vocab_size": 10,
    "length": 10,
    "embed_dim": 5,
    "att_dim": 5,
    "hidden": 200,
    "steps": 20_000,
    "batch_size": 500,
    "lr": 5e-5,
    "betas": (0.9, 0.999),
    "eps": 1e-8,
    "history": 200,
    "snapshots": 48,
}
NAMES = ", ".join(DEFAULTS)


def refusal(**given) -> str:
    with pytest.raises(ap.AttnprobeError) as error:
        ap.Config(**given)
    return str(error.value)


def test_defaults_are_the_exercise() -> None:
    assert ap.Config().model_dump() == DEFAULTS
    assert ap.Config().task == ap.Task() == ap.Task(rule="n2 > n4", vocab_size=10, length=10)


def test_the_task_is_the_config_s() -> None:
    assert ap.Config(rule="n5 > n3", vocab_size=7, length=11).task == ap.Task(rule="n5 > n3", vocab_size=7, length=11)


WHOLE = {
    "vocab_size": (2, 32, "32"),
    "length": (1, 63, "63"),
    "embed_dim": (1, 256, "256"),
    "att_dim": (1, 256, "256"),
    "hidden": (1, 4096, "4096"),
    "steps": (0, 10**9, "10^9"),
    "batch_size": (1, 65536, "65536"),
    "history": (1, 100_000, "100000"),
    "snapshots": (0, 1000, "1000"),
}


@pytest.mark.parametrize("name", WHOLE)
def test_whole_numbers_have_limits(name) -> None:
    low, high, written = WHOLE[name]
    for bad in (low - 1, high + 1, low + 0.5, "many", None, float("nan")):
        assert refusal(**{name: bad}) == (
            f"{name} = {bad!r} is not allowed: it must be a whole number from {low} to {written}."
        )
    rule = {"rule": "n0 > n1"} if name == "vocab_size" else {}
    for good in (low, high):
        assert getattr(ap.Config(**{name: good}, **rule), name) == good


@pytest.mark.parametrize(
    ("name", "bad", "allowed"),
    [
        ("lr", 0, "a finite number above 0"),
        ("lr", -1e-3, "a finite number above 0"),
        ("lr", float("inf"), "a finite number above 0"),
        ("lr", float("nan"), "a finite number above 0"),
        ("lr", "fast", "a finite number above 0"),
        ("eps", -1e-8, "a finite number of 0 or more"),
        ("eps", float("inf"), "a finite number of 0 or more"),
        ("eps", float("nan"), "a finite number of 0 or more"),
        ("betas", (0.9, 1), "two numbers from 0 up to, but not, 1"),
        ("betas", (-0.1, 0.5), "two numbers from 0 up to, but not, 1"),
        ("betas", (0.9, float("nan")), "two numbers from 0 up to, but not, 1"),
        ("betas", 0.9, "two numbers from 0 up to, but not, 1"),
        ("rule", 5, "'nA > nB' for two digits A and B"),
    ],
)
def test_other_limits(name, bad, allowed) -> None:
    assert refusal(**{name: bad}) == f"{name} = {bad!r} is not allowed: it must be {allowed}."


@pytest.mark.parametrize("betas", [(0.9,), (0.9, 0.99, 0.999), (0.9, "x")])
def test_betas_are_two_numbers(betas) -> None:
    message = refusal(betas=betas)
    assert message.startswith("betas = ")
    assert message.endswith(" is not allowed: it must be two numbers from 0 up to, but not, 1.")


def test_edges_are_allowed() -> None:
    assert ap.Config(eps=0).eps == 0
    assert ap.Config(betas=(0, 0)).betas == (0, 0)
    assert ap.Config(lr=5e-324).lr == 5e-324


def test_several_at_once() -> None:
    assert refusal(length=64, lr=-1, steps=2.5) == (
        "length = 64 is not allowed: it must be a whole number from 1 to 63. "
        "steps = 2.5 is not allowed: it must be a whole number from 0 to 10^9. "
        "lr = -1 is not allowed: it must be a finite number above 0."
    )


@pytest.mark.parametrize(
    ("name", "hint"),
    [("setps", " Did you mean 'steps'?"), ("batchsize", " Did you mean 'batch_size'?"), ("xyzzy", "")],
)
def test_unknown_names(name, hint) -> None:
    assert refusal(**{name: 5}) == f"Unknown setting {name!r}.{hint} Settings are: {NAMES}."


def test_unknown_and_out_of_limits_at_once() -> None:
    assert refusal(setps=5, hidden=0) == (
        "hidden = 0 is not allowed: it must be a whole number from 1 to 4096. "
        f"Unknown setting 'setps'. Did you mean 'steps'? Settings are: {NAMES}."
    )


def test_the_rule_must_fit_the_alphabet() -> None:
    assert refusal(vocab_size=3) == (
        "rule = 'n2 > n4' is not allowed: digit 4 is outside the alphabet 0..2; "
        "name digits below vocab_size or raise vocab_size."
    )


@pytest.mark.parametrize("settings_class", [ap.Config, ap.Task])
def test_frozen(settings_class) -> None:
    given = settings_class()
    with pytest.raises(ValueError, match="Instance is frozen"):
        given.length = 5
    assert given == settings_class()
    assert hash(given) == hash(settings_class())
