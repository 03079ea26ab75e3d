"""Weights that were trained elsewhere: recognised by name and shape, the same function, never a guess."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import students
import torch
from folders import refusal

import attnprobe as ap
from attnprobe.foreign.names import role
from attnprobe.foreign.numbering import number
from attnprobe.foreign.roles import UnplacedError, place
from attnprobe.foreign.weights import Reading, read_weights

REMEDY = "Save the weights alone: torch.save(model.state_dict(), 'weights.pt')."


def saved(path: Path, value) -> Path:
    """``value`` as torch or safetensors writes it, by the ending of ``path``."""
    if path.suffix == ".safetensors":
        safetensors.torch.save_file({name: part.contiguous() for name, part in value.items()}, path)
    else:
        torch.save(value, path)
    return path


def ours(foreign) -> ap.AttentionModel:
    """The exercise's module with imported weights."""
    return ap.AttentionModel.from_weights(ap.Config(rule="n0 > n1", **foreign.sizes), foreign.weights)


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    """A state dict of the exercise's module in which every size is another prime."""
    torch.manual_seed(3)
    return dict(students.Plain(vocab=7, dim=3, att=2, hidden=13).state_dict())


def shapes(state) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


# --- the same function -----------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["pt", "safetensors"])
@pytest.mark.parametrize("kind", students.SCALES, ids=lambda kind: kind.__name__)
def test_a_students_network_gives_its_own_probabilities(kind, ending, tmp_path) -> None:
    theirs = students.trained(kind)
    path = saved(tmp_path / f"weights.{ending}", theirs.state_dict())
    foreign = read_weights(path, Reading({}, scale=students.SCALES[kind]))
    vocab = next(iter(foreign.weights["embed.weight"].shape))
    x = torch.randint(0, vocab, (500, 10), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected, found = theirs(x), ours(foreign)(x)
    assert expected.std() > 0.01  # it has learned something, so that a constant cannot pass
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-6)


def test_the_wrong_scale_is_another_function(tmp_path) -> None:
    theirs = students.trained(students.Bare)
    foreign = read_weights(saved(tmp_path / "w.pt", theirs.state_dict()))
    x = torch.randint(0, 5, (500, 10), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert (ours(foreign)(x) - theirs(x)).abs().max() > 1e-3


def test_weights_of_the_exercise_keep_every_bit(state, tmp_path) -> None:
    foreign = read_weights(saved(tmp_path / "w.pt", state))
    assert foreign.sizes == {"vocab_size": 7, "embed_dim": 3, "att_dim": 2, "hidden": 13}
    assert (foreign.notes, foreign.finite, foreign.exported) == ((), True, None)
    assert foreign.weights.keys() == state.keys()
    for name, tensor in state.items():
        np.testing.assert_array_equal(foreign.weights[name], tensor.numpy(), strict=True)


def test_the_form_before_the_zip_archive(state, tmp_path) -> None:
    torch.save(state, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    foreign = read_weights(tmp_path / "old.pth")
    for name, tensor in state.items():
        np.testing.assert_array_equal(foreign.weights[name], tensor.numpy(), strict=True)


@pytest.mark.parametrize(
    ("att", "words"),
    [(4, "sqrt(4), exactly."), (3, "sqrt(3), up to rounding to float32 (a relative 6e-8)."), (1, "sqrt(1), exactly.")],
)
def test_scores_without_scaling_are_folded_into_the_query(att, words, tmp_path) -> None:
    state = students.Plain(att=att).state_dict()
    foreign = read_weights(saved(tmp_path / "w.pt", state), Reading({}, scale="none"))
    assert foreign.notes == (f"Scores without 1/sqrt(att_dim): the query was multiplied by {words}",)
    back = foreign.weights["query"].astype(np.float64) / np.sqrt(att)
    np.testing.assert_allclose(back, state["query"].numpy(), rtol=0 if att != 3 else 6e-8)


def test_views_of_one_storage_and_transposed_tensors(state, tmp_path) -> None:
    flat = torch.arange(100.0)
    state["WK.weight"] = flat[:6].view(3, 2).T
    state["WK.bias"] = flat[4:8:2]
    foreign = read_weights(saved(tmp_path / "w.pt", state))
    np.testing.assert_array_equal(foreign.weights["WK.weight"], [[0, 2, 4], [1, 3, 5]])
    np.testing.assert_array_equal(foreign.weights["WK.bias"], [4, 6])


# --- number formats --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_other_floats_become_float32_exactly_where_they_can(kind, state, tmp_path) -> None:
    converted = {name: tensor.half().to(kind) for name, tensor in state.items()}
    foreign = read_weights(saved(tmp_path / "w.pt", converted))
    name = str(kind).removeprefix("torch.")
    assert foreign.notes == (f"Its {name} numbers became float32 without any change.",)
    np.testing.assert_array_equal(foreign.weights["embed.weight"], converted["embed.weight"].float().numpy())


def test_rounding_of_float64_is_said(state, tmp_path) -> None:
    wide = {name: torch.ones_like(tensor).double() for name, tensor in state.items()}
    wide["WK.bias"] = wide["WK.bias"] * (1 + 2**-24)  # half a unit in the last place of float32
    foreign = read_weights(saved(tmp_path / "w.pt", wide))
    assert foreign.notes == (
        "Its float64 numbers were rounded to float32: by a relative 6.0e-08 at most, in 'WK.bias'.",
    )


def test_numbers_that_float32_cannot_hold(state, tmp_path) -> None:
    wide = {name: tensor.double() for name, tensor in state.items()}
    wide["nn.0.bias"][:2] = 1e39
    path = saved(tmp_path / "w.pt", wide)
    assert refusal(read_weights, path) == f"{path}: 'nn.0.bias' has 2 numbers that float32 cannot hold, such as 1e+39."
    state["query"][0, 0] = 3e38
    path = saved(tmp_path / "w.pt", state)
    assert refusal(read_weights, path, Reading({}, scale="none")) == (
        f"{path}: the query times sqrt(att_dim) has numbers that float32 cannot hold (--scale none)."
    )


def test_a_nan_that_signals_is_one_like_others(state, tmp_path) -> None:
    """Its conversion is an invalid operation, which numpy would warn of."""
    wide = {name: tensor.double() for name, tensor in state.items()}
    wide["nn.0.bias"].view(torch.int64)[0] = 0x7FF0_0000_0000_0001
    foreign = read_weights(saved(tmp_path / "w.pt", wide), Reading({}, keep_nonfinite=True))
    assert np.isnan(foreign.weights["nn.0.bias"][0])


def test_more_dimensions_than_numpy_has(state, tmp_path) -> None:
    state["query"] = state["query"].reshape((1,) * 70 + (2,))
    path = saved(tmp_path / "w.pt", state)
    assert refusal(read_weights, path).startswith(f"{path}: 'query' has 71 dimensions")


@pytest.mark.parametrize("kind", [torch.int64, torch.uint8, torch.bool, torch.complex64])
def test_numbers_that_are_no_floats(kind, state, tmp_path) -> None:
    state["WV.weight"] = state["WV.weight"].to(kind)
    path = saved(tmp_path / "w.pt", state)
    assert refusal(read_weights, path) == (
        f"{path}: 'WV.weight' holds {str(kind)[6:]} numbers; weights are float32, float64, float16 or bfloat16."
    )


def test_not_finite_is_refused_or_kept_as_asked(state, tmp_path) -> None:
    state["WK.weight"][0, 1] = np.nan
    state["nn.2.weight"][0, :3] = -np.inf
    path = saved(tmp_path / "w.pt", state)
    assert refusal(read_weights, path) == (
        f"{path} has numbers that are infinite or not a number: 'WK.weight' (1 of 6), 'nn.2.weight' (3 of 13). "
        "With --keep-nonfinite it becomes a seed with the status nonfinite."
    )
    foreign = read_weights(path, Reading({}, keep_nonfinite=True))
    assert not foreign.finite
    np.testing.assert_array_equal(foreign.weights["WK.weight"], state["WK.weight"].numpy())


# --- which dict of a checkpoint --------------------------------------------------------------------------


def checkpoint(model: torch.nn.Module) -> dict:
    """What a script keeps to go on later: the optimiser's state holds tensors too, under numbers."""
    moments = {
        i: {"step": torch.tensor(1.0), "exp_avg": torch.zeros(p.shape)} for i, p in enumerate(model.parameters())
    }
    optimiser = {"state": moments, "param_groups": [{"lr": 0.001, "params": list(moments)}]}
    return {"epoch": 3, "model_state_dict": model.state_dict(), "optimizer_state_dict": optimiser}


@pytest.mark.parametrize(
    "wrap",
    [
        lambda model: {"state_dict": model.state_dict(), "loss": torch.tensor(0.3), "lrs": [0.1, 0.2], "note": None},
        checkpoint,
        lambda model: {"a": {"b": {"c": model.state_dict()}}},
        lambda model: {**model.state_dict(), "epoch": 7},
    ],
)
def test_the_state_dict_is_found(wrap, tmp_path) -> None:
    model = students.Plain()
    foreign = read_weights(saved(tmp_path / "w.pt", wrap(model)))
    np.testing.assert_array_equal(foreign.weights["query"], model.query.detach().numpy())


def test_two_state_dicts_are_not_chosen_from(tmp_path) -> None:
    first, second = students.Plain(), students.Plain()
    path = saved(tmp_path / "w.pt", {"model": first.state_dict(), "ema": {"net": second.state_dict()}})
    assert refusal(read_weights, path) == (
        f"{path} holds 2 dicts with tensors, and more than one of them could be the network's weights. "
        "Say which with --key. There are: 'model' (10 tensors), 'ema.net' (10 tensors)."
    )
    foreign = read_weights(path, Reading({}, key="ema.net"))
    assert foreign.notes == ("The state dict is its 'ema.net'.",)
    np.testing.assert_array_equal(foreign.weights["query"], second.query.detach().numpy())
    assert refusal(read_weights, path, Reading({}, key="emma")).startswith(
        f"{path} has no dict of tensors 'emma' (--key). There are: 'model'"
    )


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (torch.zeros(3), "one tensor"),
        ([1, 2], "a list without tensors"),
        ({"a": {"b": 1}}, "a dict without tensors"),
        ({3: torch.zeros(2)}, "a dict without tensors"),
    ],
)
def test_no_state_dict_at_all(value, what, tmp_path) -> None:
    path = saved(tmp_path / "w.pt", value)
    assert refusal(read_weights, path) == f"{path} holds {what}, and no state dict. {REMEDY}"


# --- names -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "names"),
    [
        ("WV", "WV.weight W_V Wv.weight value.weight values.weight to_v.weight v_proj.weight valueProj.weight"),
        ("WK", "WK.weight W_K Wk key.weight keys.weight to_k.weight a.b.k_proj.weight K.weight linear_key.weight"),
        ("query", "query q Q W_Q query.weight module.attn.query queries query_vector learned_query"),
        ("embed", "embedding.weight emb.weight token_embedding.weight W_E wte.weight embeddings.weight"),
        ("WV.bias", "values.bias to_v.bias b_V"),
        ("WK.bias", "key.bias k_proj.bias bK b_K"),
        (None, "key_value.weight nn.0.weight value_head.0.weight pos_embed.weight valve.weight w.weight to.bias"),
    ],
)  # fmt: skip
def test_names_and_what_they_mean(part, names) -> None:
    assert {name: role(name) for name in names.split()} == dict.fromkeys(names.split(), part)


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod.", "model.net."])
def test_a_prefix_changes_nothing(prefix, state) -> None:
    renamed = {prefix + name: shape for name, shape in shapes(state).items()}
    assert place(renamed, {}, ()).theirs == {name: prefix + name for name in state}


def test_one_hidden_unit_is_told_by_the_order_of_a_sequential(state) -> None:
    one = shapes(students.Plain(hidden=1).state_dict())
    assert place(one, {}, ()).theirs["nn.0.weight"] == "nn.0.weight"
    moved = {name.replace("nn.0", "f.11").replace("nn.2", "f.9"): shape for name, shape in one.items()}
    found = place(moved, {}, ()).theirs
    assert (found["nn.0.weight"], found["nn.2.weight"], found["nn.0.bias"]) == ("f.9.weight", "f.11.weight", "f.9.bias")
    named = {name.replace("nn.0", "first").replace("nn.2", "second"): shape for name, shape in one.items()}
    with pytest.raises(UnplacedError, match=r"nothing was found for nn\.0\.weight, nn\.2\.weight"):
        place(named, {}, ())


def test_square_key_matrices_that_could_be_meant_either_way() -> None:
    bare = shapes(students.Bare(dim=3, att=3).state_dict())
    with pytest.raises(UnplacedError) as error:
        place(bare, {}, ())
    assert str(error.value) == (
        "has the bare square matrix 'W_K' (3, 3), which could be meant either way. Give "
        "--rename W_K=WK.weight if a key is W @ e, or --rename W_K=WK.weight.T if it is e @ W."
    )
    assert place(bare, {"W_K": "WK.weight.T"}, ()).turned == {"WK.weight"}
    assert place(bare, {"W_K": "WK.weight"}, ()).turned == set()


def test_what_is_turned_is_transposed(tmp_path) -> None:
    model = students.Bare(dim=3, att=3)
    path = saved(tmp_path / "w.pt", model.state_dict())
    foreign = read_weights(path, Reading({"W_K": "WK.weight.T"}))
    np.testing.assert_array_equal(foreign.weights["WK.weight"], model.W_K.detach().numpy().T)


def test_renaming_and_leaving_out(state) -> None:
    theirs = {name.replace("WV", "foo"): shape for name, shape in shapes(state).items()} | {"scale": (), "unused": (4,)}
    found = place(theirs, {"foo.weight": "WV.weight", "foo.bias": "WV.bias"}, ["scale", "unused"])
    assert (found.theirs["WV.weight"], found.theirs["WV.bias"]) == ("foo.weight", "foo.bias")
    assert found.sizes == {"vocab_size": 7, "embed_dim": 3, "att_dim": 2, "hidden": 13}


def test_a_name_of_ours_that_stands_for_something_else(state) -> None:
    """What the user says comes before what names say: here key and value are swapped."""
    swapped = {**shapes(state), "WK.weight": (1, 3), "WK.bias": (1,), "WV.weight": (2, 3), "WV.bias": (2,)}
    rename = {"WK.weight": "WV.weight", "WK.bias": "WV.bias", "WV.weight": "WK.weight", "WV.bias": "WK.bias"}
    assert place(swapped, rename, ()).theirs["WK.weight"] == "WV.weight"


OTHER = "has tensors that the exercise's network does not have, so it computes something else:"
NOTHING = "is not recognised as the exercise's network: nothing was found for"
TWO = "has two tensors that look like WK.weight: 'WK.weight' (2, 3) and"
UNFIT = "does not fit together:"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"pos.weight": (10, 3)}, f"{OTHER} 'pos.weight' (10, 3). "),
        ({"nn.1.weight": (13, 13)}, f"{OTHER} 'nn.1.weight' (13, 13). "),
        ({"query.bias": (2,)}, f"{OTHER} 'query.bias' (2,). "),
        ({"key.weight": (2, 3)}, f"{TWO} 'key.weight' (2, 3). "),
        ({"a.WK.weight": (2, 3)}, f"{TWO} 'a.WK.weight' (2, 3). "),
        ({"query": None}, f"{NOTHING} query. "),
        ({"WV.weight": None, "foo.weight": (1, 3)}, f"{NOTHING} WV.weight. "),
        (
            {"nn.0.weight": None, "nn.0.bias": None, "a.weight": (13, 1), "b.weight": (13, 1)},
            f"{NOTHING} nn.0.weight. ",
        ),
        ({"query": (2, 2)}, f"{UNFIT} 'query' (2, 2) stands for query (1, att_dim), "),
        ({"WK.weight": (3, 2)}, f"{UNFIT} 'WK.weight' (3, 2) stands for WK.weight (att_dim, embed_dim), "),
        ({"WV.weight": (2, 3)}, f"{UNFIT} 'WV.weight' (2, 3) stands for WV.weight (1, embed_dim), "),
        ({"WV.weight": (3,)}, f"{UNFIT} 'WV.weight' (3,) stands for WV.weight (1, embed_dim), "),
        ({"nn.2.weight": (1, 12)}, f"{UNFIT} 'nn.2.weight' (1, 12) stands for nn.2.weight (1, hidden), "),
        ({"embed.weight": (7,)}, "has 'embed.weight' (7,) for embed.weight, which is (vocab_size, embed_dim)."),
    ],
)
def test_what_cannot_be_placed_for_sure(change, said, state) -> None:
    theirs = {name: shape for name, shape in {**shapes(state), **change}.items() if shape is not None}
    with pytest.raises(UnplacedError) as error:
        place(theirs, {}, ())
    assert str(error.value).startswith(said)


@pytest.mark.parametrize(
    ("rename", "ignore", "said"),
    [
        ({"quary": "query"}, [], "has no tensor 'quary' (--rename). Did you mean 'query'? It holds: "),
        ({}, ["quary"], "has no tensor 'quary' (--ignore). Did you mean 'query'? It holds: "),
        ({"query": "WQ"}, [], "--rename query=WQ: 'WQ' is none of the exercise's tensors. "),
        ({"query": "query"}, ["query"], "--rename query=query: the same tensor is left out by --ignore. "),
        ({"query": "query", "WK.bias": "query"}, [], "--rename names two tensors for query: 'query' and 'WK.bias'."),
        (
            {"WK.weight": "WV.weight"},
            [],
            "has two tensors that look like WV.weight: 'WK.weight' (2, 3) and 'WV.weight'",
        ),
    ],
)
def test_options_that_do_not_fit(rename, ignore, said, state) -> None:
    with pytest.raises(UnplacedError) as error:
        place(shapes(state), rename, ignore)
    assert str(error.value).startswith(said)


def test_guesses_are_named_but_not_made(state) -> None:
    theirs = {name.replace("WV.", "foo."): shape for name, shape in shapes(state).items()}
    with pytest.raises(UnplacedError) as error:
        place(theirs, {}, ())
    assert str(error.value).endswith(" If that is what they are: --rename foo.weight=WV.weight.")
    for name, shape in theirs.items():
        assert f"{name!r} {shape}" in str(error.value)


def test_names_that_a_terminal_would_act_on_are_escaped(state) -> None:
    evil = "\x1b]0;owned\x07.weight"
    theirs = {name.replace("WV.weight", evil): shape for name, shape in shapes(state).items()}
    with pytest.raises(UnplacedError) as error:
        place(theirs, {}, ())
    assert str(error.value).isprintable()
    assert str(error.value).endswith(f"--rename {evil!r}=WV.weight.")
    with pytest.raises(UnplacedError) as error:
        place(theirs, {evil: "nothing\x1b"}, ())
    assert str(error.value).isprintable()


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ({"vocab": 33}, "vocab_size = 33 is not allowed: it must be a whole number from 2 to 32."),
        ({"hidden": 4097}, "hidden = 4097 is not allowed: it must be a whole number from 1 to 4096."),
        ({"dim": 257}, "embed_dim = 257 is not allowed: it must be a whole number from 1 to 256."),
    ],
)
def test_sizes_that_no_run_can_have(sizes, said, tmp_path) -> None:
    path = saved(tmp_path / "w.pt", students.Plain(**sizes).state_dict())
    assert refusal(read_weights, path) == f"{path} is a network of sizes that attnprobe does not take: {said}"


# --- numbers of imported networks ------------------------------------------------------------------------


def numbered(tmp_path: Path, names: list[str], seeds=None, taken=()):
    state = students.Plain().state_dict()
    return number([read_weights(saved(tmp_path / name, state)) for name in names], seeds, taken)


@pytest.mark.parametrize(
    ("names", "seeds", "taken", "numbers", "why"),
    [
        (["a.pt", "b.pt"], None, (), [0, 1], "Numbered in the order given."),
        (["a.pt", "b.pt"], None, (0, 2), [1, 3], "Numbered in the order given."),
        (["seed17.pt", "run_3.pt"], None, (), [17, 3], "Numbered by the ends of the file names."),
        (["s1.pt", "t1.pt"], None, (), [0, 1], "Numbered in the order given."),
        (["s1.pt", "best.pt"], None, (), [0, 1], "Numbered in the order given."),
        (["s99999999999999999999.pt"], None, (), [0], "Numbered in the order given."),
        (["s1.pt", "s2.pt"], [9, 4], (), [9, 4], "Numbered as asked for."),
    ],
)
def test_numbers(names, seeds, taken, numbers, why, tmp_path) -> None:
    assert numbered(tmp_path, names, seeds, taken) == (numbers, why)


def test_numbers_that_cannot_be(tmp_path) -> None:
    assert refusal(numbered, tmp_path, ["a.pt", "b.pt"], [1]) == (
        "There are 2 files and 1 seeds: give one seed for each file."
    )
    assert "seed 4 is given twice" in refusal(numbered, tmp_path, ["a.pt", "b.pt"], [4, 4])
