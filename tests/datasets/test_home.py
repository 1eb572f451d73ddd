"""Finding real data through SKSTACK_DATA."""

from skstack.datasets import find_data


def test_find_data(tmp_path, monkeypatch):
    (tmp_path / "houses").mkdir()
    monkeypatch.setenv("SKSTACK_DATA", str(tmp_path))
    assert find_data("houses") == tmp_path.resolve() / "houses"
    assert find_data("dogs_cats") is None
    monkeypatch.setenv("SKSTACK_DATA", "")
    assert find_data("houses") is None
    monkeypatch.delenv("SKSTACK_DATA")
    assert find_data("houses") is None


def test_relative_homes_give_absolute_folders(tmp_path, monkeypatch):
    (tmp_path / "data" / "houses").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SKSTACK_DATA", "data")
    assert find_data("houses").is_absolute()
