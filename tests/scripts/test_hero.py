"""Several agents at play in one animation, each at its own world's speed."""

import imageio.v3 as iio
import numpy as np

import agents
from agents.loop.run import RunFolder
from agents.loop.trainer import Trainer


def test_agents_play_side_by_side(tmp_path, call):
    folders = []
    for world in ("dreamgym/Cliff-v0", "dreamgym/Walk-v0"):
        agent = agents.ValueIteration(f"envs:{world}")
        run = RunFolder(tmp_path / world.rpartition("/")[2])
        run.create(agent, agent.run_config(20))
        Trainer(agent, run).run(20)
        folders.append(str(run.path))
    out = tmp_path / "both.gif"
    options = ["--seconds", "2", "--fps", "5", "--side", "64", "--columns", "2", "--out", str(out)]
    assert call("hero", *folders, *options, cwd=tmp_path).returncode == 0
    moments = iio.imread(out)
    assert moments.shape[:3] == (10, 8 + 64 + 18 + 8, 8 + 2 * 72)
    assert np.ptp(moments[:, 8:72, 8:72], axis=0).max() > 50  # the first one moves
    assert np.ptp(moments[:, 8:72, 80:144], axis=0).max() > 50  # and so does the second
