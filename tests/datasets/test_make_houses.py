"""Drawing houses."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import RidgeCV
from sklearn.metrics import r2_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skstack.datasets import load_houses, make_houses

ROOMS = ["bathroom", "bedroom", "frontal", "kitchen"]


def _contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_layout(tmp_path):
    houses = make_houses(tmp_path / "new" / "folder", 6, image_size=32, random_state=0)
    written = sorted(str(path) for path in _contents(tmp_path / "new" / "folder"))
    photos = [f"images/{house}_{room}.jpg" for house in range(1, 7) for room in ROOMS]
    assert written == sorted(["HousesInfo.txt", "descriptions.txt", "groups.txt", *photos])
    with Image.open(f"{houses.image_root}/{houses.data['frontal'][5]}") as photo:
        assert (photo.size, photo.mode) == ((32, 32), "RGB")
    assert houses.data["zipcode"].str.fullmatch(r"\d{5}").all()
    assert (houses.target > 0).all()
    assert len(houses.factors) == 6


def test_returns_what_load_houses_returns(tmp_path):
    drawn = make_houses(tmp_path, 5, random_state=0)
    loaded = load_houses(tmp_path)
    pd.testing.assert_frame_equal(drawn.frame, loaded.frame)
    np.testing.assert_array_equal(drawn.groups, loaded.groups)
    assert set(drawn) - set(loaded) == {"factors"}


def test_same_seed_same_houses(tmp_path):
    for folder, seed in (("a", 3), ("b", np.random.RandomState(3)), ("c", 4)):
        make_houses(tmp_path / folder, 4, random_state=seed)
    assert _contents(tmp_path / "a") == _contents(tmp_path / "b")
    assert _contents(tmp_path / "a") != _contents(tmp_path / "c")


def test_without_a_seed_houses_differ_and_the_global_state_stays(tmp_path):
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    first = make_houses(tmp_path / "a", 4)
    second = make_houses(tmp_path / "b", 4)
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002
    assert not first.frame.equals(second.frame)


def test_a_second_call_replaces_the_first(tmp_path):
    make_houses(tmp_path / "a", 8, random_state=0)
    (tmp_path / "a" / "images" / "own.jpg").write_bytes(b"mine")
    make_houses(tmp_path / "a", 3, random_state=1)
    make_houses(tmp_path / "b", 3, random_state=1)
    second = _contents(tmp_path / "a")
    assert second.pop((tmp_path / "a" / "images" / "own.jpg").relative_to(tmp_path / "a")) == b"mine"
    assert second == _contents(tmp_path / "b")


def test_real_houses_are_not_replaced(tmp_path):
    (tmp_path / "HousesInfo.txt").write_text("4 4 4053 85255 869500\n", encoding="utf-8")
    with pytest.raises(FileExistsError, match="not drawn ones"):
        make_houses(tmp_path, 3)
    assert [path.name for path in tmp_path.iterdir()] == ["HousesInfo.txt"]


def test_missing_cells(tmp_path):
    houses = make_houses(tmp_path, 60, image_size=16, missing=0.3, random_state=0)
    share = houses.data.isna().mean()
    assert share.between(0.1, 0.5).all()
    assert houses.target.notna().all()
    with pytest.raises(FileNotFoundError, match="photo"):
        load_houses(tmp_path)
    assert not make_houses(tmp_path, 60, image_size=16, random_state=0).data.isna().any(axis=None)


def test_offers_of_one_house_are_one_group(tmp_path):
    houses = make_houses(tmp_path, 150, image_size=16, random_state=0)
    groups, first, counts = np.unique(houses.groups, return_index=True, return_counts=True)
    assert 0 < (counts > 1).sum() < 15
    for group, row in zip(groups[counts > 1], first[counts > 1], strict=True):
        twin = np.flatnonzero(houses.groups == group)[1]
        columns = ["bedrooms", "bathrooms", "area", "zipcode", "description", "price"]
        assert houses.frame[columns].iloc[row].equals(houses.frame[columns].iloc[twin])
        photos = [(tmp_path / "images" / f"{house + 1}_kitchen.jpg").read_bytes() for house in (row, twin)]
        assert photos[0] == photos[1]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_houses": 0}, ValueError, "n_houses"),
        ({"n_houses": 2.5}, TypeError, "n_houses"),
        ({"image_size": 2}, ValueError, "image_size"),
        ({"missing": 1.0}, ValueError, "missing"),
        ({"noise": -1}, ValueError, "noise"),
    ],
)
def test_bad_options(tmp_path, options, error, message):
    with pytest.raises(error, match=message):
        make_houses(tmp_path, **options)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def houses(tmp_path_factory):
    return make_houses(tmp_path_factory.mktemp("houses"), 250, image_size=16, random_state=0)


def _photos(houses, room):
    files = [Image.open(f"{houses.image_root}/{name}").resize((12, 12)) for name in houses.data[room]]
    return np.stack([np.asarray(file).ravel() / 255 for file in files])


def _score(X, y, groups):
    model = RidgeCV(np.logspace(-2, 4, 13))
    return r2_score(y, cross_val_predict(model, X, y, cv=GroupKFold(5), groups=groups))


def test_no_modality_gives_the_price_away(houses):
    y, data = np.log(houses.target.to_numpy()), houses.data
    parts = {
        "numbers": StandardScaler().fit_transform(np.log(data[["bedrooms", "bathrooms", "area"]])),
        "zip code": OneHotEncoder(sparse_output=False).fit_transform(data[["zipcode"]]),
        "description": TfidfVectorizer(ngram_range=(1, 2)).fit_transform(data["description"]).toarray(),
        **{room: _photos(houses, room) for room in ROOMS},
    }
    alone = {name: _score(part, y, houses.groups) for name, part in parts.items()}
    assert max(alone.values()) < 0.5
    together = _score(np.hstack(list(parts.values())), y, houses.groups)
    assert together > max(alone.values()) + 0.2


@pytest.mark.parametrize("hidden", ["kitchen", "condition", "view"])
def test_each_factor_adds_to_the_price(houses, hidden):
    y, factors = np.log(houses.target.to_numpy()), houses.factors.drop(columns="zipcode").astype(float)
    assert _score(factors, y, houses.groups) > _score(factors.drop(columns=hidden), y, houses.groups) + 0.02


@pytest.mark.parametrize("room", ["bathroom", "bedroom", "kitchen"])
def test_photos_show_their_factor_only(houses, room):
    pixels = _photos(houses, room)
    assert _score(pixels, houses.factors[room], houses.groups) > 0.8
    assert _score(pixels, houses.factors["view"], houses.groups) < 0.3
