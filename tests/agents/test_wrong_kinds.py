"""What people call refuses what is of another kind in one sentence, by the name of the argument."""

import pytest
import torch

import agents
import generative
from agents.outcomes.export import export_policy
from generative.export import export_part


@pytest.fixture(scope="module")
def agent():
    return agents.QLearning("FrozenLake-v1", seed=0)


@pytest.mark.parametrize(
    "wrong", [None, 3, [1], object(), torch.zeros(2)], ids=lambda x: type(x).__name__
)
def test_runs_agents_and_models_are_refused_by_name(agent, tmp_path, wrong):
    calls = {
        "agent": lambda: agents.RunFolder(tmp_path / "r").create(wrong, agent.run_config(100)),
        "config": lambda: agents.RunFolder(tmp_path / "r").create(agent, wrong),
        "the path": lambda: agents.RunFolder(wrong),
        "model": lambda: generative.save(wrong, tmp_path / "m.pt"),
        "agent ": lambda: export_policy(wrong),
        "model ": lambda: export_part(wrong),
        "data": lambda: generative.Trainer(wrong, wrong),
    }
    if wrong is not None:
        calls["name"] = lambda: agents.DQN.preset("CartPole-v1", wrong)
    for name, call in calls.items():
        with pytest.raises((TypeError, ValueError), match=r" is .*expected ") as told:
            call()
        start = "model" if name == "data" else name.strip()  # the first argument that is wrong
        assert str(told.value).startswith(start)
        assert "\n" not in str(told.value)
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("wrong", [3, [1], object(), "rows"], ids=lambda x: type(x).__name__)
def test_rows_are_tensors(wrong):
    with pytest.raises(TypeError, match=r"^mine: x is .*, expected a tensor"):
        generative.Dataset("mine", wrong)
    with pytest.raises(TypeError, match=r"^mine: labels is .*, expected a tensor"):
        generative.Dataset("mine", torch.zeros(2, 2), labels=wrong)


def test_numbers_that_no_array_holds_are_no_observations(agent):
    with pytest.raises(ValueError, match=r"was given: expected one or several of Discrete"):
        agent.predict(10**30)


def test_who_begins_with_a_policy_is_told_where_networks_are_set():
    with pytest.raises(TypeError, match=r"env is 'MlpPolicy': expected an environment; PPO builds"):
        agents.PPO("MlpPolicy", "CartPole-v1")
