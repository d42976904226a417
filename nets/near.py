"""What errors say: which known name was probably meant, and a value in few words."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

HABITS = {
    "activation_fn": "activation",
    "alpha": "learning_rate",
    "anneal_lr": "schedule",
    "c51": "dqn",
    "clip_coef": "clip",
    "clip_range": "clip",
    "clip_range_vf": "value_clip",
    "cuda": "device",
    "doubledqn": "dqn",
    "duelingdqn": "dqn",
    "end_e": "epsilon_end",
    "ent_coef": "entropy_coefficient",
    "env_id": "env",
    "eps": "epsilon_start",
    "epsilon": "epsilon_start",
    "eval_freq": "eval_every",
    "exploration_final_eps": "epsilon_end",
    "exploration_fraction": "exploration_steps",
    "exploration_initial_eps": "epsilon_start",
    "features_extractor_class": "encoder",
    "gamma": "discount",
    "hidden_dim": "hidden",
    "hidden_size": "hidden",
    "hidden_sizes": "hidden",
    "lambda": "gae_lambda",
    "latent_dim": "latent",
    "log_std_init": "log_std",
    "lr": "learning_rate",
    "lr_schedule": "schedule",
    "n_critic": "discriminator_steps",
    "n_envs": "num_envs",
    "n_epochs": "epochs",
    "n_eval_episodes": "episodes",
    "n_timesteps": "steps",
    "net_arch": "hidden",
    "norm_adv": "normalize_advantage",
    "num_minibatches": "batch_size",
    "num_steps": "n_steps",
    "output_dir": "out",
    "policy_kwargs": "hidden",
    "progress_bar": "progress",
    "qrdqn": "dqn",
    "rainbow": "dqn",
    "start_e": "epsilon_start",
    "target_network_frequency": "target_every",
    "target_update_interval": "target_every",
    "tau": "target_rate",
    "tensorboard_log": "run",
    "theta": "tolerance",
    "timesteps": "steps",
    "total_timesteps": "steps",
    "train_freq": "train_every",
    "train_frequency": "train_every",
    "update_epochs": "epochs",
    "verbose": "progress",
    "vf_coef": "value_coefficient",
    "z_dim": "latent",
}
"""What other libraries call what has another name here."""


LONGEST = 60


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that was probably meant; None where nothing is near.

    Of options, `--config.learning-rate`, the last word counts.
    """
    by_word = {_word(each): each for each in sorted(known, key=lambda each: (-len(each), each))}
    word = _word(name)
    for meant in (word, HABITS.get(word)):
        if meant in by_word:
            return by_word[meant]
    near = get_close_matches(word, by_word, n=1)
    return by_word[near[0]] if near else None


def hint(name: str, known: Iterable[str]) -> str:
    """Return "did you mean ...?" or, where nothing is near, what is known, if anything."""
    names = sorted(known)
    near = nearest(name, names)
    if not names:
        return "there is none"
    return f"did you mean {near!r}?" if near else f"expected one of {', '.join(names)}"


def shortened(value: Any) -> str:
    """Return a value in words on one short line."""
    try:
        said = " ".join(repr(value).split())
    except ValueError:  # a whole number of thousands of digits
        said = f"a {type(value).__name__} too long to be written"
    return said if len(said) <= LONGEST else f"{said[: LONGEST - 3]}..."


def _word(name: str) -> str:
    return name.lstrip("-").rpartition(".")[2].replace("-", "_").lower()
