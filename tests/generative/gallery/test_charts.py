"""Charts: what they show can be told from their colours."""

from generative.gallery import charts


def test_bands_show_the_median_and_all_that_was_reached():
    """A band of three seeds has more colour than the line of one."""
    low, high = [0.0, 1.0, 2.0], [2.0, 3.0, 4.0]
    several = charts.bands([1, 2, 3], {"dreams": [low, high, high]}, ylabel="return")
    single = charts.bands([1, 2, 3], {"dreams": [high]}, ylabel="return")
    tinted = [(picture.std(-1) > 10).sum() for picture in (several, single)]
    assert tinted[0] > 5 * tinted[1] > 0


def test_what_was_reached_in_a_single_step_is_shown_too():
    """A line from the least to the most goes through the median's point."""
    several = charts.bands([1], {"dreams": [[0.0], [1.0], [2.0]]})
    tinted = (several.std(-1) > 10).any(1)  # rows that have some colour
    assert tinted.sum() > len(tinted) / 2
