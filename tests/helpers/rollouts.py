"""What agents gather, before they learn from it."""

import numpy as np
import torch

from agents.policy_gradient.rollout import Rollout


def gathered(agent):
    """The first of two rollouts of a segment that the agent would learn from, as tensors."""
    rollouts, update = [], agent.update
    agent.update = lambda rollout: rollouts.append(rollout) or {}
    agent.learn(2 * agent.rollout_steps, progress=False)
    agent.update = update
    tensors = (torch.from_numpy(x) if isinstance(x, np.ndarray) else x for x in rollouts[0])
    return Rollout(*tensors)
