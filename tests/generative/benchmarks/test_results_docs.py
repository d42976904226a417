"""The figures of docs/generative/gans.md and latents.md are those of the records in results/."""

import json
import re
from pathlib import Path
from statistics import median

import pytest

from generative.benchmarks.ring import VARIANTS

ROOT = Path(__file__).parents[3]
GANS, LATENTS = (
    (ROOT / "docs" / "generative" / f"{name}.md").read_text("utf-8") for name in ("gans", "latents")
)


def results(name):
    files = sorted((ROOT / "results" / name).glob("seed-*.json"))
    return [json.loads(file.read_text("utf-8"))["result"] for file in files]


def spread(values):
    text = f"{median(values):.3f}"
    return text if len(values) == 1 else f"{text} ({min(values):.3f} to {max(values):.3f})"


def test_G_GAN_05_the_table_of_recognised_samples_is_that_of_the_records():
    section = GANS.partition("## Pictures of a class")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([\w-]+)` \| (\w+) \| (\d+) \| (.*?) \|$", section, re.MULTILINE)
    assert {row[:2] for row in rows} == {
        (name, data)
        for name, data in (("dcgan", "sprites"), ("wgan-gp", "sprites"), ("dcgan", "digits"))
        if results(f"generative/{name}-{data}")
    }
    for model, data, seeds, cells in rows:
        found = results(f"generative/{model}-{data}")
        assert len(found) == int(seeds)
        columns = {name: [run[name] for run in found if name in run] for name in found[0]}
        assert cells.split(" | ") == [
            spread(columns["accuracy"]),
            f"{median(columns['accuracy_of_data']):.3f}",
            spread(columns["confident"]),
            spread(columns["genuine"]) if "genuine" in columns else "-",
        ]


def test_G_GAN_06_G_GAN_09_the_table_of_the_ring_is_that_of_the_records():
    rows = re.findall(
        r"^\| `([\w-]+)`[^|]* \| [^|]+ \| ([\d,]+), (\d) \| (.*?) \|$", GANS, re.MULTILINE
    )
    assert {name for name, *_ in rows} == VARIANTS.keys()
    for name, steps, seeds, cells in rows:
        found = results(f"generative/ring-{name}")
        assert len(found) == int(seeds)
        assert VARIANTS[name].config()["steps"] == int(steps.replace(",", ""))
        columns = {figure: [run[figure] for run in found] for figure in found[0]}
        modes, *others = cells.split(" | ")
        low, high = min(columns["modes"]), max(columns["modes"])
        assert modes.partition(",")[0] == ("8 in all" if low == 8 else f"{low} to {high}"), name
        assert others == [
            spread(columns["high_quality"]),
            f"{median(columns['last_modes'])}, {median(columns['last_high_quality']):.3f}",
        ], name


@pytest.mark.parametrize("name", ["pixels", "latents"])
def test_the_table_of_agents_is_that_of_the_records(name):
    runs = [run[name] for run in results("latents")]
    steps, seconds = ([run[unit] for run in runs] for unit in ("steps", "seconds"))
    line = (
        f"| {name} | {median(steps):,} | {min(steps):,} to {max(steps):,} "
        f"| {median(seconds):.1f} | {min(seconds):.1f} to {max(seconds):.1f} |"
    )
    assert line in LATENTS
    assert f"{len(runs)} seeds" in LATENTS
