"""Measure our speed beside the peers', the quality of learning beside known values, and growth."""

import shlex

from ..runs.durable import require_place
from ..shell.command_line import command, draw_off_screen, parse, refusals
from .measure import measure_gpu, measure_growth, measure_quality, measure_speed
from .options import BenchmarkOptions

TEXT = """Measure speed beside the peers', quality beside known values, or growth beside limits.

speed: our way and the peers' take turns in one process, so that what slows the machine slows both;
the ratio is the median over the rounds, and its range. quality: every run leaves a JSON file, and
runs whose file is there are not repeated. growth: how figures grow with environments, networks,
batches and pictures, drawn beside what the machine's products and memory allow. gpu: speed, memory
and equality with the CPU where there is a GPU, as JSON.

examples:
  {command}                          every case of speed, about a quarter of an hour
  {command} --only lake cartpole     the cases whose names begin so
  {command} --json > speed.json
  {command} quality --seeds 5        the table, into results/
  {command} quality --only generative --write results/generative/README.md
  {command} quality --on local:4     several runs at a time
  {command} quality --list
  {command} growth --picture growth.svg
  {command} gpu > gpu.json           in about five minutes"""


@command
def main(argv: list[str]) -> int:
    """Measure, and print a table or JSON; 1 where a row of quality fails."""
    options = parse(BenchmarkOptions, "benchmark", argv, TEXT)
    draw_off_screen()
    if options.write is not None:
        from .report import around

        with refusals(ValueError):
            around(options.write, options.kind)
    if options.kind == "growth" and not options.list:
        from ..drawing.figures import require_ending

        with refusals(ValueError, OSError):
            require_ending(options.picture)
            require_place(options.picture)
    call = shlex.join(["python", "scripts/benchmark.py", *argv])
    kinds = {
        "speed": measure_speed,
        "quality": measure_quality,
        "growth": measure_growth,
        "gpu": measure_gpu,
    }
    return kinds[options.kind](options, call)
