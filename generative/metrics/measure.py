"""All that can be measured of a trained model: its held-out data, its code, its samples."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm import tqdm

from nets.process.seeding import hash31, seeded

from ..data.dataset import Dataset
from ..model import Encodes, GenerativeModel
from ..sampling import sampled
from .dci import dci
from .distances import frechet_distance, squared_mmd
from .factor_vae import factor_vae_score
from .features import CONFIDENT, as_bytes, inception, recognition, train_classifier
from .gap import mig_chen, mig_locatello
from .genuine import genuine
from .inception import SPLITS, SUBSETS, inception_score, kernel_distance
from .likelihood import LatentModel, held_out_terms, importance_log_likelihood
from .modes import mode_coverage
from .neighbours import nearest_neighbours, precision_recall

SAMPLES = 1000  # compared with as many rows
COPIES = 100  # samples that are looked for in all training data
LIKELIHOOD_ROWS, LIKELIHOOD_SAMPLES = 100, 500
CODED_ROWS = 3000
PART = 1000
MODE_SAMPLES = 10_000
FID_ROWS = 10_000
MOST_LISTED = 50_000  # rows in which samples are looked for


@dataclass(frozen=True)
class Figure:
    """One number.

    Attributes:
        name: of the measure, its variant included.
        value: the number; None where the measure is not applicable.
        meaning: which values are good, or what it is of; or why it is not applicable.
    """

    name: str
    value: float | None
    meaning: str


def measure(
    model: GenerativeModel,
    train: Dataset,
    held_out: Dataset,
    *,
    seed: int = 0,
    fid: bool = False,
    progress: bool = False,
) -> Iterator[Figure]:
    """Measure what `model` and data allow; yield each figure when it is known.

    What does not suit them ends nothing else: its figure has no value, and says why.

    Args:
        model: the model, in evaluation mode.
        train: rows that it was trained on.
        held_out: rows that it was not trained on; both on the model's device.
        seed: of the noise and of every choice of rows.
        fid: whether to measure FID, KID and the Inception score too; they need torch-fidelity,
            see `features.inception`.
        progress: whether a bar is drawn on a terminal, once it takes two seconds.
    """
    groups = {
        "held_out": _held_out,
        "code": _code,
        "modes_covered": _modes,
        "nearest_datum": _samples,
        "confident": recognised,
        "genuine": listed,
    } | ({"fid": _inception} if fid else {})
    hidden = None if progress else True
    for name, group in (
        bar := tqdm(groups.items(), unit="group", delay=2.0, leave=False, disable=hidden)
    ):
        bar.set_description(group.__name__.strip("_"))
        with seeded(hash31(seed, group.__name__)), torch.no_grad():
            figures = list(_suited(name, group(model, train, held_out, seed)))
        yield from figures


def _suited(name: str, figures: Iterator[Figure]) -> Iterator[Figure]:
    """Yield figures up to one that data or model do not suit, which is called `name` and empty.

    So is one whose network is not installed, or cannot be fetched.
    """
    try:
        yield from figures
    except (ValueError, ImportError, OSError, torch.linalg.LinAlgError) as error:  # type: ignore[attr-defined]
        yield Figure(name, None, str(error))


def _held_out(
    model: GenerativeModel, train: Dataset, held_out: Dataset, seed: int
) -> Iterator[Figure]:
    """How well held-out rows are described."""
    rows = f"mean of {len(held_out):,} held-out rows"
    for name, value in held_out_terms(model, held_out).items():
        yield Figure(name, value, rows)
    if isinstance(model, LatentModel):
        x = held_out.limited(LIKELIHOOD_ROWS, seed).batch(slice(None)).x
        told = ", over all classes, where the ELBO is told theirs" if model.classes else ""
        yield from _suited("log_likelihood", _likelihood(model, x, told))


def _likelihood(model: LatentModel, x: Tensor, told: str) -> Iterator[Figure]:
    value = importance_log_likelihood(model, x, samples=LIKELIHOOD_SAMPLES).mean().item()
    how = f"{LIKELIHOOD_SAMPLES} importance samples each of {len(x)} held-out rows{told}"
    yield Figure("log_likelihood", value, how)


def _code(model: GenerativeModel, train: Dataset, held_out: Dataset, seed: int) -> Iterator[Figure]:
    """How latents and known factors belong together."""
    rows = train.limited(CODED_ROWS, seed)
    if rows.factors is None or not isinstance(model, Encodes):
        return
    factors, logvar = rows.factors, None
    varying = int((factors.amax(0) > factors.amin(0)).sum())
    if isinstance(model, LatentModel):
        parts = [model.posterior(x) for x in _parts(rows)]
        mean, logvar = (torch.cat(part) for part in zip(*parts, strict=True))  # [N, D], [N, D]
    else:
        mean = torch.cat([model.encode(x) for x in _parts(rows)])  # [N, D]
    if varying < 1 or mean.shape[1] < 2:
        return
    if logvar is not None:
        value = mig_chen(mean, logvar, factors)
        yield Figure("mig_chen", value, "mutual information gap, sampled latents; 1 is best")
    value = mig_locatello(mean, factors)
    yield Figure("mig_locatello", value, "mutual information gap, binned means; 1 is best")
    if varying > 1:
        value = factor_vae_score(mean, factors, seed=seed)
        yield Figure("factor_vae", value, f"chance is {1 / varying:.2f}, 1 is best")
        for name, value in dci(mean, factors, seed=seed)._asdict().items():
            yield Figure(f"dci_{name}", value, "random forest; 1 is best")


def _modes(
    model: GenerativeModel, train: Dataset, held_out: Dataset, seed: int
) -> Iterator[Figure]:
    """Which of the Gaussians that drew the data samples are drawn from."""
    if train.modes is None:
        return
    found = mode_coverage(model.sample(MODE_SAMPLES), *train.modes)
    count = len(train.modes.centres)
    yield Figure("modes_covered", found.covered, f"of {count}, by 20 samples or more")
    yield Figure("high_quality", found.high_quality, f"share of {MODE_SAMPLES:,} within 3 sigma")


def _samples(
    model: GenerativeModel, train: Dataset, held_out: Dataset, seed: int
) -> Iterator[Figure]:
    """How samples lie to data."""
    data = held_out if len(held_out) >= SAMPLES else train
    x = data.limited(SAMPLES, seed).batch(slice(None)).x.flatten(1)
    samples = model.sample(len(x))
    yield from _suited("squared_mmd", _mmd(x, samples.flatten(1)))
    yield from _suited("precision", _covered(x, samples.flatten(1)))
    distance, _ = nearest_neighbours(samples[:COPIES], train.x)
    how = f"median distance of {COPIES} samples to {len(train):,} data; 0 would be a copy"
    yield Figure("nearest_datum", distance.median().item(), how)


def _mmd(x: Tensor, samples: Tensor) -> Iterator[Figure]:
    yield Figure("squared_mmd", squared_mmd(x, samples), "of values; 0 is best")


def _covered(x: Tensor, samples: Tensor) -> Iterator[Figure]:
    found, n = precision_recall(x, samples), f"{len(x):,}"
    yield Figure("precision", found.precision, f"share of {n} samples that are near {n} data")
    yield Figure("recall", found.recall, f"share of {n} data that are near {n} samples")


def recognised(
    model: GenerativeModel, train: Dataset, held_out: Dataset, seed: int
) -> Iterator[Figure]:
    """What a classifier that has seen the data says of samples, and of held-out rows."""
    if train.num_classes is None or train.num_classes < 2 or len(model.shape) != 3:
        return
    with torch.enable_grad():
        classifier = train_classifier(train, seed=seed)
    data = held_out if len(held_out) >= SAMPLES else train
    real = data.limited(SAMPLES, seed).batch(slice(None)).x
    numbers = torch.arange(len(real), device=model.device)
    labels = numbers % model.classes if model.classes else None
    samples = model.sample(len(real), labels)
    x, y = classifier.features(real), classifier.features(samples)
    yield from _suited("frechet_distance", _frechet(x, y))
    yield from _suited("feature_precision", _near(x, y))
    found = recognition(classifier, samples, labels)
    best = recognition(classifier, *held_out.limited(SAMPLES, seed).batch(slice(None)))
    share, ceiling = "share of samples that the classifier", "the same of held-out rows"
    yield Figure("confident", found.confident, f"{share} gives a class with {CONFIDENT} or more")
    yield Figure("confident_of_data", best.confident, ceiling)
    even = f"entropy of their classes over that of {train.num_classes} equally frequent ones"
    yield Figure("evenness", found.evenness, even)
    yield Figure("evenness_of_data", best.evenness, ceiling)
    if found.accuracy is not None and best.accuracy is not None:
        yield Figure("accuracy", found.accuracy, f"{share} takes for their class")
        yield Figure("accuracy_of_data", best.accuracy, ceiling)


def _frechet(x: Tensor, y: Tensor) -> Iterator[Figure]:
    how = f"of {len(x):,} samples, in features of a classifier of the data; 0 is best"
    yield Figure("frechet_distance", frechet_distance(x, y), how)


def _near(x: Tensor, y: Tensor) -> Iterator[Figure]:
    near = precision_recall(x, y)
    yield Figure("feature_precision", near.precision, "share of samples near data, in features")
    yield Figure("feature_recall", near.recall, "share of data near samples, in features")


def listed(
    model: GenerativeModel, train: Dataset, held_out: Dataset, seed: int
) -> Iterator[Figure]:
    """Which samples are among the data, where the data are all there are."""
    if not train.exhaustive or len(train) > MOST_LISTED:
        return
    data = train.x[:] if held_out is train else torch.cat([train.x[:], held_out.x[:]])
    found = genuine(model.sample(SAMPLES), data)
    how = f"share of {SAMPLES:,} samples less than {found.radius:.2f} from a datum"
    yield Figure("genuine", found.share, f"{how}, half the way to the next")
    yield Figure("genuine_different", found.different, "different data that they are")


def _inception(
    model: GenerativeModel, train: Dataset, held_out: Dataset, seed: int
) -> Iterator[Figure]:
    """How samples lie to data in Inception's features."""
    x = torch.cat([*map(as_bytes, _parts(train.limited(FID_ROWS, seed)))])  # a fourth of the room
    drawn = torch.cat([*map(as_bytes, sampled(model, len(x)))])
    data, samples = inception(x), inception(drawn)
    how = f"of {len(x):,} samples, in Inception's features; 0 is best"
    yield Figure("fid", frechet_distance(data.features, samples.features), how)
    kid = kernel_distance(data.features, samples.features, seed=seed)
    yield Figure("kid", kid.mean, f"mean of {SUBSETS} subsets, ± {kid.std:.4f}; 0 is best")
    if len(x) >= SPLITS:
        score = inception_score(samples.logits, seed=seed)
        how = f"mean of {SPLITS} parts, ± {score.std:.4f}; 1 is worst"
        yield Figure("inception_score", score.mean, how)


def _parts(rows: Dataset) -> Iterator[Tensor]:
    """Yield the data in parts that fit into memory."""
    for start in range(0, len(rows), PART):
        yield rows.batch(slice(start, start + PART)).x
