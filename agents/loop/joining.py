"""How the agents of several processes come to be the same one, where a run goes on."""

from typing import Any

from nets.process.distributed import Team

from .actor import Actor


def bring_together(agent: Actor, team: Team) -> None:
    """Make an agent what the first process's is: learned, counted, and remembered alike.

    Args:
        agent: this process's.
        team: the processes, each with its agent of the same kind.
    """
    if team.size == 1:
        return
    replay, told = agent.replay, dict[str, Any]()
    if team.leads:
        first = max(replay.rows - replay.capacity, 0)
        told = {"agent": agent.state_dict(), "steps": agent.steps, "segment": agent.segment}
        if replay.rows:
            told["rows"] = {"first_row": first, **replay.read_rows(first)}
    told = team.tell(told)
    if team.leads:
        return
    agent.load_state_dict(told["agent"])
    agent.steps, agent.segment = told["steps"], told["segment"]
    replay.clear()
    if "rows" in told:
        replay.load_shard(told["rows"])
