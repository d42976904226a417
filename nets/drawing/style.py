"""One style for all figures: colours that everybody can tell apart, in two themes.

Colours are those of M. A. Petroff, "Accessible color sequences for data visualization" (2021),
chosen by an optimiser so that they differ under all three kinds of colour blindness, too.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import count
from typing import Any, Literal, TypeAlias

Theme: TypeAlias = Literal["light", "dark"]
Format: TypeAlias = Literal["png", "svg", "pdf"]

BLUE, ORANGE, RED, PINK = "#578dff", "#ff5e02", "#c91f16", "#c849a9"
OLIVE, CYAN, INDIGO, GREY = "#adad7d", "#86c8dd", "#1845fb", "#7d7b7c"
PALETTE = (BLUE, ORANGE, PINK, CYAN, RED, OLIVE, INDIGO, GREY)
Dashes: TypeAlias = "str | tuple[float, tuple[float, ...]]"
DASHES = ("-", "--", ":", "-.")
DIVERGING = "RdBu_r"  # of values with a zero, which is white: see `symmetric`
SEQUENTIAL = "viridis"

COLOURS_OF = {  # what has a colour of its own has it in every figure
    "dqn": BLUE,
    "ppo": ORANGE,
    "a2c": PINK,
    "reinforce": CYAN,
    "bc": GREY,
    "sac": RED,
    "td3": OLIVE,
    "q-learning": BLUE,
    "sarsa": ORANGE,
    "expected-sarsa": PINK,
    "double-q-learning": CYAN,
    "value-iteration": RED,
    "policy-iteration": OLIVE,
    "sgd": BLUE,
    "momentum": ORANGE,
    "nesterov": PINK,
    "adagrad": CYAN,
    "adadelta": RED,
    "rmsprop": OLIVE,
    "adam": INDIGO,
    "nadam": GREY,
    "data": GREY,
    "samples": BLUE,
    "learned in dreams": BLUE,
    "model-free": ORANGE,
}


@dataclass(frozen=True)
class Paper:
    """What a theme draws on, and with."""

    paper: str
    ink: str
    grid: str
    sheet: str  # between pictures, which may be as white as paper


PAPERS: dict[Theme, Paper] = {
    "light": Paper("#ffffff", "#282e38", "#d9dde3", "#e9ecf0"),
    "dark": Paper("#0d1117", "#dfe4ea", "#2c333d", "#232a34"),
}
_asked: ContextVar[tuple[Theme, Format]] = ContextVar("drawing", default=("light", "png"))


@contextmanager
def drawing(theme: Theme = "light", also: Format = "png") -> Iterator[None]:
    """Draw on the paper of `theme`, and save figures in the format `also`, beside their own."""
    token = _asked.set((theme, also))
    try:
        yield
    finally:
        _asked.reset(token)


def paper() -> Paper:
    """Return the paper of the theme that is asked for."""
    return PAPERS[_asked.get()[0]]


def also() -> Format:
    """Return the format that is asked for beside a figure's own."""
    return _asked.get()[1]


@contextmanager
def styled() -> Iterator[None]:
    """Let Matplotlib make figures in the house style; its own settings are as before afterwards."""
    from matplotlib import rc_context

    with rc_context(rc_params()):  # type: ignore[arg-type]
        yield


def rc_params() -> dict[str, Any]:
    """Return Matplotlib's settings of the house style, for `plt.rcParams.update` in a notebook."""
    from cycler import cycler

    on = paper()
    inked = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
    papered = ("figure.facecolor", "axes.facecolor", "savefig.facecolor", "legend.facecolor")
    return {
        **dict.fromkeys(inked, on.ink),
        **dict.fromkeys(papered, on.paper),
        "axes.prop_cycle": cycler(color=PALETTE),
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": "medium",
        "figure.constrained_layout.use": True,
        "figure.dpi": 110,
        "figure.titlesize": "large",
        "font.size": 10.0,
        "grid.color": on.grid,
        "grid.linewidth": 0.7,
        "legend.edgecolor": on.grid,
        "legend.framealpha": 0.85,
        "legend.fontsize": "small",
        "lines.linewidth": 1.8,
        "pdf.fonttype": 42,  # letters stay letters
        "savefig.dpi": "figure",
        "svg.hashsalt": "dreamgym",  # the same figure, the same file
    }


def looks(names: Sequence[str]) -> dict[str, tuple[str, Dashes]]:
    """Return the colour and the dashes of each of a figure's lines, whatever their order.

    A line is named after an algorithm, `ppo`, maybe that of another library, `sb3-ppo`, and maybe
    with settings, `ppo:encoder=mlp`; all of one algorithm have its colour, and differ in dashes.
    Variants of a single algorithm, and what has no colour of its own, take the palette in turn.

    Args:
        names: of the lines.
    """
    own = {name: COLOURS_OF.get(_stem(name)) for name in names}
    if len({_stem(name) for name in names}) == 1 and len(names) > 2:
        first = COLOURS_OF.get(_stem(names[0]), PALETTE[0])
        own = dict.fromkeys(names)
        own[min(names)] = first
    free = [colour for colour in PALETTE if colour not in own.values()] or list(PALETTE)
    found: dict[str, tuple[str, Dashes]] = {}
    for name in sorted(names):
        colour = own[name]
        if colour is None:
            colour = free[sum(own[n] is None for n in found) % len(free)]
        found[name] = next(
            look for k in count() if (look := (colour, _dashes(k))) not in found.values()
        )
    return found


def _dashes(k: int) -> Dashes:
    """Return the k-th way of drawing a line: after the usual ones, ever longer strokes and dots."""
    return DASHES[k] if k < len(DASHES) else (0.0, (k + 1.0, 1.0, 1.0, 1.0))


def _stem(name: str) -> str:
    return name.partition(":")[0].removeprefix("sb3-")
