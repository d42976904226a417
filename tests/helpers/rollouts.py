"""What agents gather, before they learn from it."""


def gathered(agent):
    """The first of two rollouts of a segment that the agent would learn from."""
    rollouts, update = [], agent.update
    agent.update = lambda rollout: rollouts.append(rollout) or {}
    agent.learn(2 * agent.rollout_steps, progress=False)
    agent.update = update
    return rollouts[0]
