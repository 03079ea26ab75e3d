"""A run of weights that were trained elsewhere: everything works on it, and what is not known is not claimed."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import students
import torch
from folders import refusal
from test_foreign import saved

import analyses
import attnprobe as ap
from attnprobe.foreign.importing import import_weights

OF_THE_WAY = {
    *("history", "history_spread", "dynamics", "dynamics_spread"),
    *("milestones", "survival", "precedence", "precedence_shares"),
}
WITH_A_START = {"geometry": "stage", "geometry_similarity": "stage", "geometry_spread": "stage"}
START = "start|initial|gain|change|steps_to|first|together|values_with_attention"  # what speaks of the way, in names


@pytest.fixture(scope="module")
def exported(small_run, tmp_path_factory) -> dict[str, list[Path]]:
    """The seeds of a run with every table, in both formats."""
    place = tmp_path_factory.mktemp("exported")
    return {kind: ap.export_weights(small_run, place / kind, format=kind) for kind in ("pt", "safetensors")}


@pytest.fixture(scope="module", params=["pt", "safetensors"])
def back(request, exported, tmp_path_factory) -> ap.Run:
    """The exported seeds, imported again and analysed."""
    options = {"rule": "n3 > n1", "length": 7, "steps": 60} if request.param == "pt" else {}
    done = import_weights(exported[request.param], tmp_path_factory.mktemp("back") / "run", **options)
    assert (done.added, done.there, done.notes) == (7, 0, ())
    analyses.write(done.run)
    return done.run


# --- there and back --------------------------------------------------------------------------------------


def test_every_bit_of_every_seed_comes_back(back, small_run) -> None:
    np.testing.assert_array_equal(back.seeds, small_run.seeds)
    np.testing.assert_array_equal(back.status, small_run.status)
    np.testing.assert_array_equal(back.steps, small_run.steps)
    for name, value in small_run.weights.items():
        assert back.weights[name].tobytes() == value.tobytes()
    for name, value in small_run.model(5).state_dict().items():
        assert torch.equal(back.model(5).state_dict()[name], value)
    np.testing.assert_array_equal(back.circuit.scores, small_run.circuit.scores)


def test_every_table_but_those_of_the_way_comes_back(back, small_run) -> None:
    """Not only close: the same frames. Initial weights are part of the way too."""
    assert set(back.tables) == set(small_run.tables) == set(analyses.names())
    same = 0
    for name in analyses.names():
        found, expected = back.table(name), small_run.table(name)
        if name in OF_THE_WAY:
            assert len(expected) > 0
            assert found.empty
            continue
        if name in WITH_A_START:
            assert (found["stage"] == "trained").all()
            expected = expected[expected["stage"] == "trained"].reset_index(drop=True)
            columns = [column for column in found if not re.search(START, column)]
            found, expected = found[columns], expected[columns]
            if name == "geometry_spread":
                found, expected = (t[~t["measure"].str.contains(START)] for t in (found, expected))
        elif name == "summary":
            found, expected = (frame.set_index("measure") for frame in (found, expected))
            of_the_way = expected.index.str.contains(START)
            assert 20 > of_the_way.sum() > 10
            assert found[found.index.str.contains(START)]["estimate"].isna().all()
            found, expected = found[~found.index.str.contains(START)], expected[~of_the_way]
        else:
            same += 1
        pd.testing.assert_frame_equal(found, expected, check_exact=True)
    assert same > 30
