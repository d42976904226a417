"""The supervised side of behaviour cloning: splits by episode, balance, a fit, its diagnosis."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nets.gradients.annealing import left_of
from nets.gradients.optim import optimizer
from nets.gradients.schedules import schedule
from nets.supervised.diagnose import Diagnosis, diagnose, error_analysis
from nets.supervised.early_stopping import EarlyStopping
from nets.supervised.fit import FitConfig, evaluate, fit, predict
from nets.supervised.metrics import accuracy, balanced_accuracy
from nets.supervised.sampling import class_weights, over_sample, synthetic_sample, under_sample
from nets.supervised.splits import cross_validate, hold_out, k_fold
from nets.supervised.suiting import Rows

from .config import BCConfig

Build = Callable[[], nn.Module]


@dataclass(frozen=True)
class Fitted:
    """A network, its measures, and of which actions its mistakes are."""

    network: nn.Module
    metrics: dict[str, float]
    mistakes: list[int]
    """Rows held out of each action that were taken for another."""


def fit_clone(build: Build, data: Rows, episode: Tensor, config: BCConfig, seed: int) -> Fitted:
    """Fit a new network to demonstrations, some episodes being held out to stop it.

    Args:
        build: makes the network, with as many outputs as there are actions.
        data: observations `[N, *observation]` and the expert's actions `[N]`, from 0.
        episode: that each row is from, `[N]`.
        config: see there.
        seed: everything random follows from it.
    """
    _, group = episode.unique(return_inverse=True)  # [N]
    if not group.any():  # a single episode: its steps are all there is to hold out
        group = torch.arange(len(episode))
    groups = int(group.max()) + 1

    def rows_of(chosen: Tensor) -> Tensor:
        return torch.isin(group, chosen).nonzero().flatten()

    def score(train: Tensor, held: Tensor) -> float:
        return _fit(build(), data, rows_of(train), rows_of(held), config, seed)[
            "validation_accuracy"
        ]

    metrics: dict[str, float] = {}
    if config.folds:
        found = cross_validate(score, k_fold(groups, min(config.folds, groups), seed=seed))
        metrics = {"cv_accuracy": found.mean, "cv_error": found.standard_error}
    train, held = map(rows_of, hold_out(groups, config.validation_share, seed=seed))
    network = build()
    metrics |= _fit(network, data, train, held, config, seed)
    logits = predict(network, data[0][held]).cpu()
    wrong = data[1][held][logits.argmax(1) != data[1][held]]
    return Fitted(network, metrics, wrong.bincount(minlength=logits.shape[1]).tolist())


def _fit(
    network: nn.Module, data: Rows, train: Tensor, held: Tensor, config: BCConfig, seed: int
) -> dict[str, float]:
    """Train on some rows, until it gets worse on others; return measures of both.

    Who wants balance wants it of the loss that stops the training, too.
    """
    rows, validation = ((data[0][part], data[1][part]) for part in (train, held))
    actions = predict(network, rows[0][:1]).shape[1]

    def loss(labels: Tensor | None) -> nn.CrossEntropyLoss:
        weight = None
        if labels is not None:
            weight = class_weights(labels, actions).to(next(network.parameters()).device)
        return nn.CrossEntropyLoss(weight, label_smoothing=config.label_smoothing)

    plain = config.balance == "none"
    adamw = optimizer("adamw", network, lr=1.0, weight_decay=config.weight_decay)

    def rate(epoch: int) -> float:
        left = 1.0 - epoch / config.epochs
        return left_of(config.learning_rate, left, config.schedule, "learning_rate")

    history = fit(
        network,
        _balanced(rows, config.balance, seed),
        loss=loss(rows[1] if config.balance == "weights" else None),
        optimizer=adamw,
        scheduler=schedule("function", adamw, factor=rate),
        config=FitConfig(epochs=config.epochs, batch_size=config.batch_size, seed=seed),
        validation=validation,
        metrics={} if plain else {"balanced_loss": loss(validation[1])},
        early_stopping=EarlyStopping(
            "validation_loss" if plain else "validation_balanced_loss",
            patience=config.patience,
            restore_best_weights=True,
        ),
    )
    measures = {"accuracy": accuracy, "balanced_accuracy": balanced_accuracy}
    found = {"epochs": float(len(history)), "validation_rows": float(len(held))}
    for name, part in (("train", rows), ("validation", validation)):
        measured = evaluate(network, part, measures)
        found |= {f"{name}_{measure}": value for measure, value in measured.items()}
    return found


def _balanced(rows: Rows, balance: str, seed: int) -> Rows:
    """Return rows to train on, in which rare actions are as frequent as `balance` says."""
    inputs, labels = rows
    if balance == "synthetic":
        return synthetic_sample(inputs, labels, seed=seed)
    if balance in ("under", "over"):
        chosen = (under_sample if balance == "under" else over_sample)(labels, seed=seed)
        return inputs[chosen], labels[chosen]
    return rows


def diagnosis(metrics: Mapping[str, float]) -> Diagnosis:
    """Tell why the clone does not do what the expert does, from the measures of a fit.

    The episodes held out are a training-dev set, for they are the expert's. The states to which the
    clone itself comes are the dev set, where they have been visited: `disagreement` on them.
    """
    train, held = (1.0 - metrics[f"{name}_accuracy"] for name in ("train", "validation"))
    if "disagreement" not in metrics:
        return diagnose(train=train, dev=held)
    return diagnose(train=train, train_dev=held, dev=metrics["disagreement"])


def describe(metrics: Mapping[str, float], mistakes: Sequence[int], actions: Sequence[str]) -> str:
    """Tell how well an expert is imitated, and what would help.

    Args:
        metrics: of a fit.
        mistakes: of each action.
        actions: their names.
    """
    lines = [
        f"{metrics['demonstrations']:,.0f} steps, {metrics['epochs']:.0f} epochs",
        f"on episodes held out: accuracy {metrics['validation_accuracy']:.4f}, "
        f"balanced {metrics['validation_balanced_accuracy']:.4f}",
    ]
    if "cv_accuracy" in metrics:
        lines.append(f"cross-validated: {metrics['cv_accuracy']:.4f} ± {metrics['cv_error']:.4f}")
    if "disagreement" in metrics:
        lines.append(f"where it comes itself: accuracy {1.0 - metrics['disagreement']:.4f}")
    kinds = [[name] for name, count in zip(actions, mistakes, strict=True) for _ in range(count)]
    lines += [
        f"the expert takes {kind.name}, the clone does not: {kind.count} ({kind.share:.0%})"
        for kind in error_analysis(kinds, int(metrics["validation_rows"]))
    ]
    return "\n".join([*lines, str(diagnosis(metrics))])
