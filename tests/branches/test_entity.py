"""Branches of entities."""

import numpy as np
import pandas as pd
import pytest

from skstack import MultimodalNetworkRegressor
from skstack.branches import EntityBranch

NOBODY = 0
GAMES = pd.DataFrame({"team_1": ["x", "y", "z", "x"], "team_2": ["y", "z", "x", "w"]})
STRANGE = pd.DataFrame({"team_1": ["x", "new", "x", "new"], "team_2": ["new", "y", None, np.nan]})


def _vectors(branch, model):
    """Return the vector of each entity by its name."""
    table = np.asarray(model.get_layer("entities").embeddings)
    return dict(zip(branch.entities_, table[1:], strict=False))


def _merged(branch, games, new=None):
    """Return vectors and what the untrained sub-network makes of games."""
    branch.fit(games)
    model = branch.build("teams")
    return _vectors(branch, model), model.predict(branch.encode(games if new is None else new), verbose=0)


def _network(branch, **params):
    defaults = {"head": (), "epochs": 2, "early_stopping": False, "random_state": 0}
    return MultimodalNetworkRegressor([("teams", branch)], **{**defaults, **params})


# --- codes ----------------------------------------------------------------------------------------------------------


def test_an_entity_has_one_code_in_all_columns():
    branch = EntityBranch().fit(GAMES)
    assert branch.entities_.tolist() == ["w", "x", "y", "z"]
    np.testing.assert_array_equal(branch.encode(GAMES), [[2, 3], [3, 4], [4, 2], [2, 1]])


def test_unseen_and_missing_entities_are_nobody():
    codes = EntityBranch().fit(GAMES).encode(STRANGE)
    np.testing.assert_array_equal(codes, [[2, NOBODY], [NOBODY, 3], [2, NOBODY], [NOBODY, NOBODY]])


def test_an_entity_seen_in_one_column_is_known_in_the_other():
    assert EntityBranch().fit(GAMES).encode(pd.DataFrame({"team_1": ["w"], "team_2": ["x"]})).tolist() == [[1, 2]]


def test_rare_entities_are_nobody_and_cells_of_all_columns_count():
    branch = EntityBranch(min_frequency=2).fit(GAMES)
    assert branch.entities_.tolist() == ["x", "y", "z"]
    assert branch.encode(GAMES)[3].tolist() == [1, NOBODY]


@pytest.mark.parametrize(
    "container",
    [
        lambda ids: pd.DataFrame(ids, columns=["a", "b"]),
        lambda ids: pd.DataFrame(ids, columns=["a", "b"]).astype(float),
        lambda ids: pd.DataFrame({"a": pd.array(ids[:, 0], dtype="Int64"), "b": ids[:, 1].astype(float)}),
        lambda ids: ids,
        lambda ids: ids.astype(object),
    ],
    ids=["integers", "floats", "mixed", "array", "objects"],
)
def test_numbers_are_the_same_entities_in_every_dtype(container):
    ids = np.array([[30, 10], [20, 30]])
    branch = EntityBranch().fit(pd.DataFrame(ids))
    assert branch.fit(container(ids)).encode(ids).tolist() == branch.encode(container(ids)).tolist() == [[3, 1], [2, 3]]


def test_unhashable_cells_are_named():
    bad = pd.DataFrame({"team_1": ["x", "y"], "team_2": ["y", ["z"]]}, index=["p", "q"])
    with pytest.raises(TypeError, match=r"column 'team_2' holds \['z'\] in row 1 \(index 'q'\), which is no category"):
        EntityBranch().fit(bad)


# --- vectors --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("merge", "expected"),
    [
        ("subtract", lambda a, b: a - b),
        ("add", lambda a, b: a + b),
        ("multiply", lambda a, b: a * b),
        ("dot", lambda a, b: [a @ b]),
        ("concatenate", lambda a, b: np.concatenate([a, b])),
        ("average", lambda a, b: (a + b) / 2),
        ("maximum", np.maximum),
    ],
)
def test_vectors_are_merged(merge, expected):
    vectors, merged = _merged(EntityBranch(3, merge), GAMES)
    assert all(np.abs(vector).min() > 0 for vector in vectors.values())
    pairs = GAMES.to_numpy().tolist()
    np.testing.assert_allclose(merged, [expected(vectors[a], vectors[b]) for a, b in pairs], rtol=1e-6, atol=1e-9)


def test_nobody_leaves_the_strength_of_the_other_team_alone():
    vectors, merged = _merged(EntityBranch(1, "subtract"), GAMES, STRANGE)
    np.testing.assert_allclose(merged, [vectors["x"], -vectors["y"], vectors["x"], [0.0]], rtol=1e-6)


def test_the_vector_of_nobody_stays_0_even_where_training_rows_have_gaps():
    games = pd.DataFrame({"team_1": ["x", None] * 8, "team_2": ["y", "rare"] + ["y", None] * 7})
    branch = EntityBranch(2, "concatenate", min_frequency=2)
    network = _network(branch, epochs=5, optimizer__learning_rate=0.1).fit(games, [3.0, -5.0] * 8)
    model = network.model_.get_layer("teams_branch")
    strange = pd.DataFrame({"team_1": [None, "x"], "team_2": ["rare", "rare"]})
    features = model.predict(network.branches_[0][1].encode(strange), verbose=0)
    np.testing.assert_array_equal(features[0], 0)
    np.testing.assert_array_equal(features[1, 2:], 0)
    assert np.all(features[1, :2] != 0)


def test_more_columns_than_two_are_merged():
    games = pd.DataFrame({name: ["x", "y", "z"] for name in "abc"})
    vectors, merged = _merged(EntityBranch(2, "add"), games)
    np.testing.assert_allclose(merged, [3 * vectors[name] for name in "xyz"], rtol=1e-6)


@pytest.mark.parametrize("columns", [["team_1"], ["team_1", "team_2", "team_1"]])
@pytest.mark.parametrize("shared", [False, True])
def test_subtract_takes_two_columns(columns, shared):
    with pytest.raises(ValueError, match=f"merge='subtract' takes two columns, got {len(columns)}"):
        EntityBranch(1, "subtract", shared=shared).fit(GAMES[columns])


def test_dense_layers_stand_behind_the_merge_or_if_shared_in_front_of_it():
    model = EntityBranch(4, "subtract", hidden=(3,)).fit(GAMES).build("teams")
    assert model.output_shape == (None, 3)
    assert model.get_layer("dense_1").input.shape == (None, 4)
    model = EntityBranch(4, "subtract", hidden=(3,), shared=True).fit(GAMES).build("teams")
    assert model.output_shape == (None, 2, 3)


def test_length_of_vectors_follows_the_number_of_entities():
    games = pd.DataFrame({"team_1": range(9), "team_2": range(9)})
    assert EntityBranch().fit(games).build("teams").output_shape == (None, 16)
    assert EntityBranch(7).fit(games).build("teams").output_shape == (None, 14)


def test_folds_with_other_entities_are_built_alike():
    some, others = (pd.DataFrame({"a": names, "b": names}) for names in (list("abcde"), list("cdefgh")))
    first, second = EntityBranch(2).fit(some), EntityBranch(2).fit(others)
    assert first.is_built_like(second)
    assert not first.is_encoded_like(second)
    assert first.is_encoded_like(EntityBranch(2).fit(some[::-1]))
    assert not first.is_built_like(EntityBranch(2).fit(pd.DataFrame({"a": range(40), "b": range(40)})))
    assert not first.is_built_like(EntityBranch(2).fit(some.assign(c=some["a"])))


def test_strengths_are_learned_from_results():
    generator = np.random.default_rng(0)
    strength = pd.Series(generator.normal(scale=5, size=12), index=list("abcdefghijkl"))
    sides = np.array([generator.choice(12, 2, replace=False) for _ in range(600)])
    games = pd.DataFrame(strength.index.to_numpy()[sides], columns=["team_1", "team_2"])
    y = strength.to_numpy()[sides[:, 0]] - strength.to_numpy()[sides[:, 1]]
    network = _network(EntityBranch(1, "subtract"), epochs=20, optimizer__learning_rate=0.05)
    network.fit(games[:500], y[:500])
    assert network.score(games[500:], y[500:]) > 0.98
    alone = network.predict(pd.DataFrame({"team_1": ["a", "b"], "team_2": ["nobody", "nobody"]}))
    assert alone[0] - alone[1] == pytest.approx(strength["a"] - strength["b"], abs=1.0)


@pytest.mark.parametrize(
    ("parameter", "value"), [("dim", 0), ("dim", 1.5), ("merge", "divide"), ("min_frequency", 0), ("hidden", 0.5)]
)
def test_unknown_settings_are_refused(parameter, value):
    with pytest.raises(ValueError, match=f"'{parameter}' parameter of EntityBranch"):
        EntityBranch(**{parameter: value}).fit(GAMES)
