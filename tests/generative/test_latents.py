"""Environments seen through an encoder: equal to encoding by hand, and made again from a spec."""

import json
import pickle

import gymnasium as gym
import numpy as np
import pytest
import torch
from command_runs import nursery
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

import generative
from generative.autoencoders.config import VAEConfig
from generative.autoencoders.variational import VAE
from generative.data.pictures import channels_first, resized
from generative.gans.minimax import GAN
from generative.latents import LATENT_ID, LatentEncoder, LatentObservation, VectorLatentObservation
from nets.process.seeding import seeded

CATCH = "envs:dreamgym/Catch-v0"
POLE = "CartPole-v1"


def make_model(*shape):
    with seeded(0):
        return VAE(shape, VAEConfig(latent=3, encoder="mlp", hidden=(16,)), dataset_size=8).eval()


@pytest.fixture(scope="module")
def board_run(tmp_path_factory):
    """A model of Catch's observations."""
    path = tmp_path_factory.mktemp("runs") / "board.pt"
    generative.save(make_model(1, 22, 22), path)
    return str(path)


@pytest.fixture(scope="module")
def frame_run(tmp_path_factory):
    """A model of what environments draw."""
    path = tmp_path_factory.mktemp("runs") / "frames.pt"
    generative.save(make_model(3, 16, 16), path)
    return str(path)


def by_hand(run, pictures):
    """Encode `[N, H, W, C]` without any of the wrappers."""
    model = generative.load(run, device="cpu")
    x = resized(channels_first(np.asarray(pictures)), *model.shape[1:]).float() / 255
    with torch.no_grad():
        return model.encode(x).numpy()


def test_latent_of_the_observation(board_run):
    env, plain = LatentObservation(gym.make(CATCH), board_run), gym.make(CATCH)
    assert env.source == "observation"
    assert env.observation_space.shape == (3,)
    seen, picture = env.reset(seed=1)[0], plain.reset(seed=1)[0]
    np.testing.assert_allclose(seen, by_hand(board_run, picture[None])[0], rtol=1e-5)
    for _ in range(9):
        seen, picture = env.step(2)[0], plain.step(2)[0]
        np.testing.assert_allclose(seen, by_hand(board_run, picture[None])[0], rtol=1e-5)
        assert seen in env.observation_space


def test_latent_of_what_is_drawn(frame_run):
    env = LatentObservation(gym.make(POLE, render_mode="rgb_array"), frame_run)
    assert env.source == "render"  # its observations are no pictures
    seen, _ = env.reset(seed=3)
    for action in (0, 1, 1):
        np.testing.assert_allclose(seen, by_hand(frame_run, env.render()[None])[0], rtol=1e-5)
        seen = env.step(action)[0]
    drawn = gym.make(CATCH, render_mode="rgb_array")
    assert LatentObservation(drawn, frame_run, source="render").reset(seed=0)[0].shape == (3,)


@pytest.mark.parametrize("source", ["observation", "render"])
def test_vector_equals_scalar(board_run, frame_run, source):
    settings = {"run": board_run if source == "observation" else frame_run, "source": source}
    vector = gym.make_vec(LATENT_ID, num_envs=3, env_id=CATCH, **settings)
    scalars = [gym.make(LATENT_ID, env_id=CATCH, **settings) for _ in range(3)]
    assert vector.single_observation_space.shape == (3,)
    assert vector.observation_space.shape == (3, 3)
    seen = vector.reset(seed=5)[0]
    alone = [env.reset(seed=5 + k)[0] for k, env in enumerate(scalars)]
    for step in range(9):
        np.testing.assert_allclose(seen, alone, rtol=1e-4, atol=1e-6)
        actions = np.array([0, 1, 2]) if step % 2 else np.array([2, 1, 1])
        seen, reward, terminated, _, _ = vector.step(actions)
        steps = [env.step(action) for env, action in zip(scalars, actions.tolist(), strict=True)]
        alone = [step[0] for step in steps]
        assert reward.tolist() == [step[1] for step in steps]
        assert terminated.tolist() == [step[2] for step in steps]
    assert terminated.all()
    np.testing.assert_allclose(seen, alone, rtol=1e-4, atol=1e-6)  # the last picture is seen
    vector.close()


def test_who_was_reset_by_hand_does_not_begin_once_more(board_run, monkeypatch):
    board = gym.make_vec(CATCH, num_envs=2, autoreset_mode=AutoresetMode.DISABLED)
    env, begun = VectorLatentObservation(board, board_run), []
    step = env.sight.step
    monkeypatch.setattr(
        env.sight, "step", lambda *given: begun.append(given[2].tolist()) or step(*given)
    )
    env.reset(seed=0)
    ends = [env.step(np.array([1, 1]))[2].all() for _ in range(9)]
    assert ends == [*[False] * 8, True]
    env.reset(options={"reset_mask": np.ones(2, bool)})
    env.step(np.array([1, 1]))
    assert begun == [[False, False]] * 10


def test_model_object_serves_as_well_as_its_run(board_run):
    env = LatentObservation(gym.make(CATCH), generative.load(board_run, device="cpu"))
    same = LatentObservation(gym.make(CATCH), board_run)
    np.testing.assert_array_equal(env.reset(seed=0)[0], same.reset(seed=0)[0])


def test_encoding_neither_trains_nor_draws(board_run):
    env = LatentObservation(gym.make(CATCH), board_run)
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    env.reset(seed=0)
    assert torch.equal(torch.rand(1), expected)
    assert not env.encode.model.training


def test_gymnasium_finds_no_fault(board_run):
    with pytest.warns(UserWarning, match="infinity") as warnings:
        check_env(gym.make(LATENT_ID, env_id=CATCH, run=board_run).unwrapped)
    assert all("infinity" in str(warning.message) for warning in warnings)  # nothing else


def test_pictures_of_the_environment_behind(board_run, frame_run):
    env = gym.make(LATENT_ID, env_id=CATCH, run=board_run, render_mode="rgb_array")
    env.reset(seed=0)
    plain = gym.make(CATCH, render_mode="rgb_array")
    plain.reset(seed=0)
    np.testing.assert_array_equal(env.render(), plain.render())
    assert env.metadata["render_fps"] == plain.metadata["render_fps"]
    vector = gym.make_vec(LATENT_ID, num_envs=2, env_id=POLE, run=frame_run)
    vector.reset(seed=0)
    assert np.asarray(vector.render()).shape == (2, 400, 600, 3)


def test_wrapper_pickles(board_run):
    env = LatentObservation(gym.make(CATCH), board_run)
    env.reset(seed=2)
    env.step(0)
    copy = pickle.loads(pickle.dumps(env))
    for _ in range(3):
        np.testing.assert_array_equal(env.step(1)[0], copy.step(1)[0])


def test_spec_makes_it_again(board_run):
    env = LatentObservation(gym.make(CATCH), board_run)
    again = gym.make(env.spec)
    np.testing.assert_array_equal(env.reset(seed=1)[0], again.reset(seed=1)[0])
    named = gym.make(gym.make(LATENT_ID, env_id=CATCH, run=board_run).spec)
    np.testing.assert_array_equal(env.reset(seed=1)[0], named.reset(seed=1)[0])


def test_options_reach_the_environment_behind(frame_run):
    options = {"env_id": "CliffWalking-v1", "run": frame_run, "env_kwargs": {"is_slippery": True}}
    env = gym.make(LATENT_ID, **options)
    assert env.unwrapped.behind.unwrapped.spec.kwargs["is_slippery"] is True
    vector = gym.make_vec(LATENT_ID, num_envs=2, **options)
    assert vector.env.envs[0].unwrapped.spec.kwargs["is_slippery"] is True


def test_a_fresh_process_makes_agents_environments_again(board_run, tmp_path):
    agents = pytest.importorskip("agents")
    wrapped = LatentObservation(gym.make(CATCH), board_run)
    named = gym.make(LATENT_ID, env_id=CATCH, run=board_run)
    for name, env in {"wrapped": wrapped, "named": named}.items():
        agents.DQN(env, seed=0, device="cpu", num_envs=2).save(tmp_path / name)
    code = (
        "import agents, json, sys\n"
        "steppers = [agents.load(p, device='cpu').source.stepper() for p in sys.argv[1:]]\n"
        "print(json.dumps([[type(s.env).__name__, s.reset(1).tolist()] for s in steppers]))"
    )
    done = nursery().run(code, tmp_path, argv=["-c", "wrapped", "named"])
    assert (done.returncode, done.stderr) == (0, "")
    (one_by_one, first), (together, second) = json.loads(done.stdout)
    assert (one_by_one, together) == ("SyncVectorEnv", "VectorLatentObservation")
    expected = [wrapped.reset(seed=seed)[0] for seed in (1, 2)]
    np.testing.assert_allclose(first, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(second, expected, rtol=1e-4, atol=1e-6)


def test_unfit_models_and_environments_are_refused(board_run, frame_run, tmp_path):
    catch, pole = gym.make(CATCH), gym.make(POLE)
    with pytest.raises(ValueError, match="render_mode None: expected 'rgb_array'"):
        LatentObservation(pole, frame_run)
    with pytest.raises(ValueError, match="expected uint8 pictures"):
        LatentObservation(pole, frame_run, source="observation")
    with pytest.raises(ValueError, match="source is 'pixels'"):
        LatentObservation(catch, board_run, source="pixels")
    with pytest.raises(FileNotFoundError, match="none"):
        LatentObservation(catch, tmp_path / "none")
    with pytest.raises(ValueError, match="pictures have 1 channels, the vae expects 3"):
        LatentObservation(catch, frame_run).reset(seed=0)
    with pytest.raises(TypeError, match=r"a gan of shape \(2,\) encodes no pictures"):
        LatentEncoder(GAN((2,), dataset_size=8))
    same_step = gym.make_vec(CATCH, num_envs=2, autoreset_mode=AutoresetMode.SAME_STEP)
    with pytest.raises(ValueError, match="NEXT_STEP or DISABLED"):
        VectorLatentObservation(same_step, board_run)


@pytest.mark.slow
def test_dqn_learns_on_the_latents_of_a_trained_vae_and_not_on_those_of_a_broken_one(tmp_path):
    agents = pytest.importorskip("agents")
    data = generative.load_dataset(f"observations:{CATCH}", limit=4_000)
    config = VAEConfig(latent=8, encoder="mlp", hidden=(128,), batch_size=64)
    model = generative.build_model("vae", data, config, seed=0)
    generative.Trainer(model, data, seed=0, device="cpu", progress=False).run(600)

    def mean_return(name, steps):
        generative.save(model, tmp_path / name)
        env = gym.make(LATENT_ID, env_id=CATCH, run=str(tmp_path / name))  # encoded eight at once
        settings = {"hidden": (256, 256), "learning_rate": 1e-3, "exploration_steps": 3_000}
        settings |= {"learning_starts": 500, "train_every": 8, "gradient_steps": 4}
        config = agents.DQNConfig(**settings, target_every=64, batch_size=32)
        agent = agents.DQN(env, config, seed=0, device="cpu", num_envs=8)
        agent.learn(steps, progress=False)
        return agents.evaluate(agent, episodes=50, seed=1).mean_return

    assert mean_return("trained.pt", 4_000) > 0.9
    with torch.no_grad():
        model.encoder[-1].weight.zero_()  # all pictures look the same
    assert (
        mean_return("broken.pt", 1_000) < -0.2
    )  # unseen, a ball is caught in one of five columns: -0.6
