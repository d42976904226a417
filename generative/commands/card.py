"""What the model card of a generative run says: its held-out loss, and what it is of."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nets.hub.card import Facts, Figure
from nets.runs.checkpoint import load_checkpoint

from ..loading import load

USE = """import generative

model = generative.load({run!r})
print(model)"""


def measure(run: Path, file: Path, record: Mapping[str, Any], *, trust: bool) -> Facts:
    """Look at the checkpoint `file` of a run of a generative model."""
    model, state = load(file, device="cpu", trust=trust), load_checkpoint(file)
    data = record.get("data", {}).get("spec", "data")
    loss = state.get("loss")
    figures = [] if loss is None else [Figure("held-out loss", float(loss))]
    return Facts(
        task="unconditional-image-generation" if len(model.shape) == 3 else "other",
        learner=model.name,
        problem=str(data),
        figures=figures,
        measured=f"step {state['step']:,} of training{', rows that it never saw' * bool(figures)}",
        settings=record.get("config", {}),
        command="train-generative",
        use=USE,
        tags=("generative-model",),
    )
