from dataclasses import dataclass

from nets.glance import changed, in_a_line, in_a_table


@dataclass(frozen=True)
class Config:
    hidden: tuple[int, ...] = (64,)
    rate: float = 0.1


def test_settings_that_are_not_the_defaults():
    assert changed(Config()) == {}
    assert changed(Config(rate=0.2)) == {"rate": 0.2}


def test_a_line_is_short_however_long_its_facts():
    assert in_a_line(Config(), {"a": 1, "b": "x"}) == "Config(a=1, b='x')"
    assert len(in_a_line(Config(), {"a": list(range(1000))})) < 80


def test_nothing_of_a_fact_is_taken_for_html():
    table = in_a_table(Config(), {"<i>": "<script>alert(1)</script>"})
    assert "<script" not in table
    assert "<i>" not in table
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in table
