"""Frames of environments, against the environments' own pictures."""

from importlib.metadata import EntryPoint, EntryPoints

import gymnasium as gym
import masked_worlds  # noqa: F401
import numpy as np
import pytest
from gymnasium.envs.classic_control import PendulumEnv

import generative.data.actors
from generative.data.actors import ACTORS, load_actor
from generative.data.frames import collect
from generative.data.load import load_dataset
from generative.data.pictures import channels_first, resized
from generative.data.playing import play

CATCH = "envs:dreamgym/Catch-v0"


class Keeper:
    """Moves left, and remembers what it was shown."""

    def __init__(self):
        self.starts, self.observations = [], []

    def predict(self, observation, state, episode_start, deterministic):
        assert not deterministic
        self.starts.append(episode_start)
        self.observations.append(np.array(observation))
        state = np.where(episode_start, 0, 0 if state is None else state) + 1
        return np.zeros(len(observation), np.int64), state


def replay(env_id, seeds, steps, action):
    """Yield every moment of environments stepped one by one, the final frame of an episode too."""
    worlds = [gym.make(env_id, render_mode="rgb_array") for _ in seeds]
    for world, seed in zip(worlds, seeds, strict=True):
        world.reset(seed=seed)
    over = [False] * len(worlds)
    for _ in range(steps):
        yield np.stack([world.render() for world in worlds])
        for k, world in enumerate(worlds):
            if over[k]:
                world.reset()
                over[k] = False
            else:
                _, _, terminated, truncated, _ = world.step(action)
                over[k] = terminated or truncated
    for world in worlds:
        world.close()


@pytest.mark.parametrize("env_id", [CATCH, "CliffWalking-v1"])
def test_frames_equal_render_of_the_same_seeds(env_id):
    data = collect(env_id, 48, actor=Keeper(), seed=5)
    frames = [channels_first(moment) for moment in replay(env_id, range(5, 21), 3, 0)]
    assert data.x.shape[0] == 48
    np.testing.assert_array_equal(data.x, np.concatenate(frames))


def test_frames_across_the_ends_of_episodes():
    keeper = Keeper()
    data = collect(CATCH, 16 * 25, actor=keeper, seed=1, size=10)
    moments = replay(CATCH, range(1, 17), 25, 0)
    expected = np.concatenate([resized(channels_first(m), 10, 10) for m in moments])
    np.testing.assert_array_equal(data.x, expected)
    # an episode of Catch is 10 moments: the start of the next is told, not the end of the last
    starts = np.stack(keeper.starts).all(1).nonzero()[0]
    assert starts.tolist() == [0, 10, 20]


def test_observations_are_what_the_agent_sees():
    keeper = Keeper()
    data = collect(CATCH, 32, actor=keeper, observations=True, seed=3)
    seen = np.concatenate(keeper.observations)
    np.testing.assert_array_equal(data.x[:16], seen[:16].transpose(0, 3, 1, 2))
    assert data.shape == (1, 44, 44)


def test_seed_decides():
    spec = "observations:dreamgym/Catch-v0"  # our own ids need no module
    first, again = (load_dataset(spec, limit=200, seed=1) for _ in range(2))
    other = load_dataset(spec, limit=200, seed=2)
    assert (first.x == again.x).all()
    assert (first.x != other.x).any()
    assert len(first.x.unique(dim=0)) > 50  # actions differ, so do the moments


def test_count_and_size():
    assert load_dataset(f"frames:{CATCH}", limit=5, size=24).x.shape == (5, 3, 24, 24)
    assert load_dataset(f"observations:{CATCH}", limit=37).x.shape == (37, 1, 44, 44)
    assert load_dataset("frames:CartPole-v1", limit=2, size=32).x.shape == (2, 3, 32, 32)


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        ("frames:dreamgym/Cach-v0", gym.error.Error, "Did you mean: `Catch`"),
        ("frames:", ValueError, "names no environment"),
        ("observations:CartPole-v1", ValueError, "expected uint8 pictures"),
        (f"frames:{CATCH}@no/such/run", FileNotFoundError, "no/such/run"),
    ],
)
def test_unfit_environments_are_refused(spec, error, message):
    with pytest.raises(error, match=message):
        load_dataset(spec, limit=5)


def test_an_environment_that_cannot_draw_is_refused():
    gym.register("Blind-v0", entry_point=f"{__name__}:Blind")
    gym.registry["Blind-v0"].entry_point = Blind
    try:
        with pytest.raises(ValueError, match=r"Blind-v0 cannot be drawn: its render modes are \["):
            load_dataset("frames:Blind-v0", limit=5)
    finally:
        del gym.registry["Blind-v0"]


def test_worlds_whose_vector_form_cannot_draw_are_drawn_one_by_one():
    gym.register("Half-v0", entry_point="gymnasium.envs.classic_control:CartPoleEnv")
    gym.registry["Half-v0"].vector_entry_point = BlindVector
    try:
        data = collect("Half-v0", 4, actor=Keeper(), seed=5)
        frames = [channels_first(moment) for moment in replay("CartPole-v1", range(5, 9), 1, 0)]
    finally:
        del gym.registry["Half-v0"]
    np.testing.assert_array_equal(data.x, np.concatenate(frames))


class BlindVector(gym.vector.VectorEnv):
    metadata = {"render_modes": [], "autoreset_mode": gym.vector.AutoresetMode.NEXT_STEP}

    def __init__(self, num_envs, render_mode=None):
        self.num_envs = num_envs


class Blind(gym.Env):
    observation_space = gym.spaces.Discrete(1)
    action_space = gym.spaces.Discrete(1)
    metadata = {"render_modes": ["ansi"]}


@pytest.mark.parametrize("name", ["Guarded-v0", "Asked-v0"])
def test_who_masks_actions_is_told_which_are_allowed(name):
    agents = pytest.importorskip("agents")
    world = gym.make_vec(name, 3)
    config = agents.PPOConfig(mask_actions=True)
    agent = agents.PPO(name, config, seed=0, device="cpu")
    moments = play(world, agent, seed=0, exploration=0.5)
    shown = sum(len(next(moments).observation) for _ in range(50))
    assert shown == 150  # the world raises where it is not so


def test_a_world_that_changes_its_actions_does_not_change_what_was_taken():
    class Grabbing(PendulumEnv):
        def step(self, action):
            action *= 0.0
            return super().step(action)

    moments = play(gym.vector.SyncVectorEnv([Grabbing] * 2), None, seed=0)
    assert next(moments).action is None
    assert all(next(moments).action.all() for _ in range(3))


def test_a_trained_run_plays(tmp_path):
    agents = pytest.importorskip("agents")
    agent = agents.DQN("envs:dreamgym/Catch-v0", seed=0, device="cpu")
    agent.save(tmp_path / "agent.pt")
    data = load_dataset(f"observations:{CATCH}@{tmp_path / 'agent.pt'}", limit=64, seed=4)
    by_hand = collect(
        CATCH, 64, actor=agents.load(tmp_path / "agent.pt"), observations=True, seed=4
    )
    assert (data.x == by_hand.x).all()
    assert data.name.endswith("agent.pt")


def test_whoever_loads_agents_is_found_by_its_entry_point(monkeypatch):
    entry = EntryPoint("other", "json:loads", ACTORS)
    monkeypatch.setattr(generative.data.actors, "entry_points", lambda group: EntryPoints([entry]))
    assert load_actor('{"a": 1}') == {"a": 1}
    monkeypatch.setattr(generative.data.actors, "entry_points", lambda group: EntryPoints())
    with pytest.raises(ValueError, match=r"no installed package has an entry point"):
        load_actor("run")
