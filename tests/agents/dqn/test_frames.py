"""A replay that keeps each frame once, against one that keeps every picture whole."""

import pickle
import tracemalloc
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
import torch
from leftovers import leaves

from agents.dqn import rows
from agents.dqn.agent import DQN
from agents.dqn.build import build_recorder, build_replay
from agents.dqn.config import DQNConfig
from agents.dqn.frames import Frames, Pictures
from agents.dqn.replay import ReplayBuffer
from agents.dqn.sequences import History
from agents.loop.experience import Transition
from agents.loop.run import RunConfig, RunFolder
from agents.loop.trainer import Trainer
from nets.runs.checkpoint import CheckpointError
from nets.runs.integrity import problems

COPIES, ACTIONS = 3, gym.spaces.Discrete(4)
STACKS = {(4, 16, 16): 0, (16, 16, 4): 2, (4, 16, 16, 3): 0}  # and the axis of the four frames
ATARI = (4, 84, 84)
LAST = (16, 16, 4)
KINDS = {
    "one step": {},
    "n steps": {"n_step": 3},
    "masks": {"mask_actions": True},
    "n steps, masks": {"n_step": 3, "mask_actions": True},
    "prioritised": {"replay": "prioritized", "n_step": 2},
    "sequences": {"encoder": "small-cnn+lstm"},
    "sequences, masks": {"encoder": "small-cnn+lstm", "mask_actions": True, "n_step": 2},
}
SEQUENCES = {"sequence_length": 5, "burn_in": 3, "memory_size": 2}


def pixels(shape):
    return gym.spaces.Box(0, 255, shape, np.uint8)


def experience(shape, steps, copies=COPIES, *, masks=False):
    """Transitions of environments that stack four frames, of which an episode's first fills up."""
    rng, axis = np.random.default_rng(0), STACKS.get(shape, 0)
    side = shape[:axis] + shape[axis + 1 :]

    def frame():
        return rng.integers(256, size=side, dtype=np.uint8)

    stacks = [[frame()] * 4 for _ in range(copies)]
    mask = rng.random((copies, 4)) < 0.5
    for _ in range(steps):
        before = np.stack([np.stack(stack, axis) for stack in stacks])
        stacks = [[*stack[1:], frame()] for stack in stacks]
        after = np.stack([np.stack(stack, axis) for stack in stacks])
        terminated, truncated = rng.random((2, copies)) < 0.08
        action, reward = rng.integers(4, size=copies), rng.normal(size=copies)
        state = {"state": rng.normal(size=(2, 1, copies, 2))}
        next_mask = rng.random((copies, 4)) < 0.5
        valid, allowed = np.ones(copies, bool), (mask, next_mask) if masks else ()
        yield Transition(
            before, action, reward, after, terminated, truncated, valid, state, *allowed
        )
        mask, over = next_mask, terminated | truncated
        stacks = [[frame()] * 4 if over[k] else stack for k, stack in enumerate(stacks)]


def empty(config, shape, monkeypatch=None):
    """An empty replay and what fills it; with `monkeypatch` it keeps pictures whole."""
    spaces = pixels(shape), ACTIONS
    recorder = build_recorder(config, spaces, COPIES)
    with monkeypatch.context() if monkeypatch else nullcontext() as patch:
        if patch:
            patch.setattr(rows, "has_frames", lambda space: False)
        return build_replay(config, spaces, recorder), recorder


def shared(shape, capacity):
    return ReplayBuffer(rows.Rows.zeros(capacity, pixels(shape), ACTIONS))


def fill(replay, shape, steps):
    """Let a replay remember steps of one environment."""
    for t in experience(shape, steps, copies=1):
        replay.append(rows.Rows(*t[:3], t.reward, t.next_observation))
    return replay


def drawn(replay, seed=0):
    """All that minibatches hold, and their places."""
    batch, places = replay.sample(np.random.default_rng(seed), 2, 16, 0.5)
    parts = [vars(part) if isinstance(part, History) else part for part in batch]
    return list(leaves([*parts, torch.from_numpy(places)]))


# Minibatches ------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", STACKS, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_minibatches_are_those_of_a_replay_of_whole_pictures(shape, kind, monkeypatch):
    config = DQNConfig(buffer_size=50, **KINDS[kind])
    if "encoder" in KINDS[kind]:
        config = replace(config, **SEQUENCES)
    replay, recorder = empty(config, shape)
    whole, _ = empty(config, shape, monkeypatch)
    assert isinstance(replay._fields.observation, Pictures)
    assert isinstance(whole._fields.observation, np.ndarray)
    shards = []
    for now, transition in enumerate(experience(shape, 60, masks=config.mask_actions)):
        made = recorder.push(transition)
        if made is not None:
            replay.append(made)
            whole.append(made)
        if now % 7 == 6:
            assert drawn(replay, now) == drawn(whole, now)
            places = np.arange(len(replay))[None]
            error = torch.from_numpy(np.random.default_rng(now).random(places.shape))
            replay.sampler.renew(places, error)
            whole.sampler.renew(places, error)
        if now % 5 == 4:  # rows that fit at once
            shards.append((replay.shard(), whole.shard()))
    assert replay.rows > 2 * replay.capacity
    for kept in zip(*shards, strict=True):  # and those of earlier runs, which are of whole pictures
        rebuilt, _ = empty(config, shape)
        for shard in kept:
            rebuilt.load_shard(shard)
        rebuilt.sampler.load_state_dict(replay.sampler.state_dict())
        assert drawn(rebuilt) == drawn(replay)
        assert len(rebuilt._fields.observation.frames) == len(replay._fields.observation.frames)


def test_frames_are_held_once_and_given_back():
    tracemalloc.start()
    replay = fill(shared(ATARI, 100), ATARI, 400)
    held = tracemalloc.get_traced_memory()[0]
    different = len(replay._fields.observation.frames)
    assert 100 < different < 120
    assert held < 1.3 * different * 84 * 84
    replay.clear()
    assert tracemalloc.get_traced_memory()[0] < 0.1 * held
    tracemalloc.stop()
    assert len(replay._fields.observation.frames) == 0


# Copies and files -------------------------------------------------------------------------------


@pytest.mark.parametrize("copied", [deepcopy, lambda replay: pickle.loads(pickle.dumps(replay))])
def test_a_copy_keeps_frames_once_and_goes_its_own_way(copied):
    replay = fill(shared(LAST, 20), LAST, 30)
    before, frames = drawn(replay), len(replay._fields.observation.frames)
    copy = copied(replay)
    assert drawn(copy) == before
    assert copy._fields.observation.frames is copy._fields.next_observation.frames
    fill(copy, LAST, 30)
    assert drawn(replay) == before
    assert len(replay._fields.observation.frames) == frames


def test_S_IO_02_a_run_on_pictures_resumes_exactly(tmp_path):
    config = DQNConfig(
        encoder="mlp", hidden=(8,), batch_size=8, learning_starts=16, buffer_size=50, train_every=8
    )
    cut = RunConfig(steps=120, segment_steps=40, log_every=20, eval_every=0)

    def agent():
        return DQN("dreamgym/Catch-v0", config, seed=2)

    whole = agent()
    Trainer(whole, None, cut, progress=False).run(120)
    run = RunFolder(tmp_path)
    run.create(agent(), cut, ["test"])
    for stop in (50, 100, 121):  # each time as in a new process

        def interrupt(progress, stop=stop):
            if progress.steps == stop:
                raise KeyboardInterrupt

        part = agent()
        trainer = Trainer(part, run, cut, callbacks=[interrupt], progress=False)
        with pytest.raises(KeyboardInterrupt) if stop < 120 else nullcontext():
            trainer.run(120)
    assert isinstance(part.replay._fields.observation, Pictures)
    assert torch.equal(part.online.weights, whole.online.weights)
    assert drawn(part.replay) == drawn(whole.replay)
    assert sum(shard.stat().st_size for shard in run.files.shards()) < 120 * 44 * 44
    assert not list(problems(run.path))
    run.files.shards()[-1].unlink()
    assert any("needs replay rows" in problem for problem in problems(run.path))


def damaged(shard, change):
    """A copy of a shard whose columns or frames `change` altered in place."""
    copy = deepcopy(shard)
    change(copy)
    return copy


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s["observation"].view(-1)[3:4].fill_(-1), "a frame has a number below 0"),
        (lambda s: s["observation"].view(-1)[3:4].fill_(10**6), "index 1000000 is out of bounds"),
        (lambda s: s["shared"].update(frames=s["shared"]["frames"][:-1]), "is out of bounds"),
        (lambda s: s["shared"].update(frames=s["shared"]["frames"][:, :8]), "expected .16, 16, 1."),
        (lambda s: s["shared"].pop("frames"), "'frames'"),
        (lambda s: s.pop("shared"), "pictures of shape"),
        (lambda s: s.update(observation=s["observation"][:, :3]), "do not fit into places"),
        (lambda s: s.update(observation=s["observation"].float()), "must be of integer"),
    ],
)
def test_damaged_frames_are_refused(change, message):
    shard = fill(shared(LAST, 20), LAST, 10).shard()
    replay = shared(LAST, 20)
    with pytest.raises(CheckpointError, match=f"shard does not fit this agent: .*{message}"):
        replay.load_shard(damaged(shard, change))
    assert len(replay._fields.observation.frames) == 0
    replay.load_shard(shard)
    assert len(replay) == 10


def test_a_replay_is_refused_where_not_even_a_frame_of_each_step_fits():
    space = pixels((84, 84, 4))
    fits, vast = (DQNConfig(buffer_size=size) for size in (10**5, 10**8))
    recorder = build_recorder(fits, (space, ACTIONS), 1)
    assert build_replay(fits, (space, ACTIONS), recorder).capacity == 10**5
    for config in (vast, replace(vast, encoder="nature+lstm")):
        recorder = build_recorder(config, (space, ACTIONS), 1)
        with pytest.raises(ValueError, match="buffer_size is 100000000: expected at most"):
            build_replay(config, (space, ACTIONS), recorder)


@pytest.mark.parametrize("shape", [(16, 16, 3), (3, 16, 16), (2, 4, 16, 16), (1, 16, 16)], ids=str)
def test_pictures_are_their_frames(shape):
    pictures = np.random.default_rng(0).integers(256, size=(2, 5, *shape), dtype=np.uint8)
    frames = Frames(shape)
    split = frames.split(pictures)
    assert split.shape == (2, 5, min(shape))
    np.testing.assert_array_equal(frames.stack(split), pictures)
