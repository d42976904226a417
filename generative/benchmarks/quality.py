"""The quality table of generative models: rows of `python scripts/benchmark.py quality`.

To add one, write what is trained and measured, a `Fitted` (or the `Advantage` of one over
another), and which of the figures that `measure` returns must reach what, a `Bar` each.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nets.benchmarks.quality import Advantage, Experiment, OfFile, Row

from .divergences import Apart
from .fitted import Fitted, of_file
from .measures import (
    beside_factor_analysis,
    beside_pca,
    codes_and_samples,
    dequantised,
    described,
    disentangled,
    latents_in_use,
)
from .own_files import OwnFiles, flowers, photos
from .ring import VARIANTS
from .samples import OF_DIGITS, OF_EVERY_SIZE, OF_FIGURES

GROUP = "generative"
OF_TEN_LATENTS = -24.1  # nats, of which six are dead, at seeds 0 and 1
OF_A_VAE = 20.2  # nats of reconstruction with four latents, at seed 0
FACTOR_ANALYSIS = 49.4  # nats, at the seed that settings were chosen for


@dataclass(frozen=True)
class Bar:
    """What a figure must reach, in the median over seeds.

    Attributes:
        figure: its name among those measured; `of.mig` for one of the first of two models.
        what: the figure, in words.
        reference: what it is compared with.
        low: least that passes.
        high: most that passes.
    """

    figure: str
    what: str
    reference: float
    low: float = -math.inf
    high: float = math.inf


def rows(name: str, what: str, experiment: Experiment | OfFile, *bars: Bar) -> Iterable[Row]:
    """Yield a row for each bar, `generative/NAME-FIGURE`; all look at runs in `generative/NAME`.

    Args:
        name: of the experiment.
        what: is trained, in words.
        experiment: gives the figures of all bars.
        bars: for the figures that count.
    """
    runs = f"{GROUP}/{name}"
    for bar in bars:
        label = f"{runs}-{re.sub('[_.]', '-', bar.figure)}"
        text = f"{what}: {bar.what}"
        yield Row(
            label,
            text,
            experiment,
            bar.reference,
            bar.low,
            bar.high,
            figure=bar.figure,
            runs=runs,
        )


COVERED = Bar("modes", "modes covered, of 8", 8, low=8)
LOST = Bar("evenness", "samples of the emptiest mode over those of the fullest", 0, high=0.1)
NEAR = Bar("high_quality", "share of samples within 3σ of a mode", 0.989, low=0.9)
NEAR_ANY = replace(NEAR, low=-math.inf)
RING = {"gan": (COVERED, NEAR), "wgan-gp": (COVERED, NEAR), "collapsing": (LOST,)}


def _ring() -> Iterable[Row]:
    for variant, fitted in VARIANTS.items():
        bars = RING.get(variant, (NEAR_ANY,))
        yield from rows(f"ring-{variant}", f"{variant} on the ring", fitted, *bars)
    yield from rows(
        "disjoint",
        "what opponents learn of a datum and a sample 0.5 to 4 apart",
        Apart(),
        Bar("jensen_shannon_error", "most that the JSD is off log 2", 0.0, high=0.01),
        Bar("wasserstein_error", "most that the distance is off, relative", 0.0, high=0.05),
        Bar("steepest_discriminator", "slope that a saturating generator follows", 0.0, high=0.05),
        Bar("flattest_critic", "slope that a Wasserstein generator follows", 1.0, low=0.95),
    )


SURE = "share of samples that a classifier of the data gives to a class with 0.9 or more"
CODE = "squares of 32 pixels in 6 scales, 16x16 places"
SQUARES = "sprites:shape=square,scale,x=8:24,y=8:24"


CATCH = "observations:envs:dreamgym/Catch-v0"
DOCUMENTED: Sequence[tuple[str, str, str, Mapping[str, Any]]] = (
    ("beta-tcvae-figures", "beta-tcvae", "sprites:shape,scale,x,y", {}),
    ("vae-sprites", "vae", "sprites", {}),
    ("vae-figures", "vae", "sprites:shape,scale,x,y", {}),
    ("vae-catch", "vae", CATCH, {"limit": 5000, "steps": 3000, "latent": 8, "encoder": "mlp"}),
    (
        "vae-catch-nature",
        "vae",
        CATCH,
        {"steps": 10_000, "latent": 8, "encoder": "nature", "free_nats": 0.1},
    ),
)
"""Commands of the pages, whose latents are to live."""


def _autoencoders() -> Iterable[Row]:
    linear = {"encoder": "mlp", "hidden": (), "likelihood": "gaussian", "latent": 10}
    fast = {"steps": 3000, "batch_size": 256, "learning_rate": 1e-2, "anneal_steps": 3000}
    yield from rows(
        "ae-linear",
        "linear AE of 10 latents on digits",
        Fitted("ae", "digits", beside_pca, linear | fast, held_out=0.2),
        Bar("train_ratio", "reconstruction error over PCA's, training rows", 1.0, high=1.01),
        Bar("held_out_ratio", "reconstruction error over PCA's, held-out rows", 1.0, high=1.01),
    )
    dense = {"hidden": (128,), "latent": 24, "scale": 0.2, "learning_rate": 2e-3}
    yield from rows(
        "vae-digits",
        "VAE on dequantised digits, nats per held-out row",
        Fitted("vae", "digits", beside_factor_analysis, dense, held_out=0.2, prepare=dequantised),
        Bar("elbo", "ELBO", FACTOR_ANALYSIS),
        Bar("log_likelihood", "log-likelihood by 5,000 importance samples", FACTOR_ANALYSIS),
        Bar("factor_analysis", "that of scikit-learn's factor analysis", FACTOR_ANALYSIS),
        Bar("elbo_advantage", "ELBO minus factor analysis", 0.0, low=0.0),
        Bar("log_likelihood_advantage", "log-likelihood minus factor analysis", 0.0, low=0.0),
    )
    living = Bar("active_latents", "share of latents whose KL exceeds 0.01", 1.0, low=0.95)
    for model in ("vae", "beta-vae"):
        yield from rows(
            f"{model}-preset",
            f"{model} on digits as they are, by its preset, nats per held-out row",
            Fitted(model, "digits", latents_in_use, held_out=0.1),
            Bar("elbo", "ELBO", OF_TEN_LATENTS),
            living,
        )
    for name, model, data, told in DOCUMENTED:
        given = "".join(f", {field} {value}" for field, value in told.items())
        what = f"{model} on {data}{given or ', by its preset'}"
        yield from rows(name, what, Fitted(model, data, latents_in_use, told, held_out=0.1), living)
    yield from rows(
        "aae-preset",
        "aae on digits as they are, by its preset",
        Fitted("aae", "digits", codes_and_samples, held_out=0.1),
        Bar("reconstruction", "nats that a held-out row's picture costs", OF_A_VAE, high=OF_A_VAE),
        Bar("latent_mmd", "MMD² of held-out latents and N(0, I)", 0.0, high=0.1),
        Bar("living", "share of latents whose variance exceeds 0.01", 1.0, low=0.95),
        Bar("confident", SURE, 0.9),
    )
    yield from _own_files(living)
    mnist = {"hidden": (200, 200), "latent": 50, "batch_size": 100, "steps": 50_000}
    slower = {"anneal_steps": 50_000, "encoder": "mlp", "binarize": True}
    yield from rows(
        "vae-mnist",
        "VAE 784-200-200-50 on MNIST binarised anew in every batch, 100 epochs",
        OfFile("MNIST", of_file("vae", described, overrides=mnist | slower, held_out=1 / 6)),
        Bar("nll", "negative log-likelihood of held-out rows, nats", 86.8, high=91.0),
    )
    gap, correlation = "mutual information gap of Chen et al.", "total correlation, exact, nats"
    yield from rows(
        "beta-tcvae",
        CODE,
        Advantage(
            of=Fitted("beta-tcvae", SQUARES, disentangled),
            over=Fitted("vae", SQUARES, disentangled),
        ),
        Bar("of.mig", f"β-TCVAE's {gap}", 1.0),
        Bar("over.mig", f"VAE's {gap}", 1.0),
        Bar("mig", "the first minus the second", 0.0, low=0.1),
        Bar("of.total_correlation", f"β-TCVAE's {correlation}", 0.0),
        Bar("over.total_correlation", f"VAE's {correlation}", 0.0),
        Bar("total_correlation", "the first minus the second", 0.0, high=0.0),
    )


def _own_files(living: Bar) -> Iterable[Row]:
    told = {"conditional": True}
    for name, what, own in (
        ("photos", "200 photos of mixed kinds, --size 64", OwnFiles("vae", photos, size=64)),
        ("flowers", "a table of irises", OwnFiles("vae", flowers, labels="species")),
        (
            "flowers-conditional",
            "a table of irises, told the species",
            OwnFiles("vae", flowers, labels="species", settings=told),
        ),
    ):
        yield from rows(f"own-{name}", f"vae on {what}, by defaults", own, living)


TAKEN = "share of samples that a classifier of the data takes for the class asked for"
COPIES = "share of samples that are one of the 192 pictures"


def _samples() -> Iterable[Row]:
    figures = {f"{name}-sprites": fitted for name, fitted in OF_FIGURES.items()}
    for name, fitted in (figures | {"dcgan-digits": OF_DIGITS}).items():
        low = 0.9 if fitted.model == "dcgan" else 0.8
        genuine = [Bar("genuine", COPIES, 1.0)] if name in figures else []
        yield from rows(
            name,
            f"{fitted.model} on {fitted.data}, told the class",
            fitted,
            Bar("accuracy", TAKEN, 1.0, low=low),
            Bar("confident", SURE, 1.0),
            *genuine,
        )
    for model, fitted in OF_EVERY_SIZE.items():
        yield from rows(
            f"{model}-every-size",
            f"{model} on {fitted.data}, told the class, as on figures of one size",
            fitted,
            Bar("accuracy", TAKEN, 1.0),
            Bar("nearest", "share of samples whose nearest picture is of the class asked for", 1.0),
        )


ROWS = (*_autoencoders(), *_ring(), *_samples())
