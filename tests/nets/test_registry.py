import pytest

from nets.registry import Registry

COLOURS = Registry("colour", {"dark_red": 1, "green": 2}, aliases={"crimson": "dark_red"})


@pytest.mark.parametrize("name", ["dark_red", "Dark-Red", "DARKRED", "dark red", "crimson"])
def test_names_are_found_however_they_are_written(name):
    assert COLOURS[name] == 1
    assert COLOURS.canonical(name) == "dark_red"
    assert name in COLOURS


def test_a_near_miss_names_the_kind_the_value_and_the_nearest():
    with pytest.raises(ValueError, match=r"unknown colour 'gren'; did you mean 'green'\?"):
        COLOURS["gren"]


def test_a_far_miss_lists_what_there_is():
    with pytest.raises(ValueError, match=r"'xyz'; choose one of 'dark_red', 'green'"):
        COLOURS["xyz"]
    assert "xyz" not in COLOURS
    assert 3 not in COLOURS


def test_an_alias_is_suggested_under_its_canonical_name():
    with pytest.raises(ValueError, match=r"did you mean 'dark_red'"):
        COLOURS["crimsn"]


def test_an_alias_of_nothing_is_refused():
    with pytest.raises(ValueError, match="'blue'"):
        Registry("colour", {"green": 1}, aliases={"azure": "blue"})


def test_iteration_gives_canonical_names():
    assert list(COLOURS) == ["dark_red", "green"]
    assert len(COLOURS) == 2
