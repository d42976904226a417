"""Worlds: Gymnasium environments written once, run as scalar, vector and picture."""

from envs.core import Dynamics, DynamicsEnv
from envs.numbers import Table
from envs.registration import register_world
from envs.vector import DynamicsVectorEnv

__all__ = ["Dynamics", "DynamicsEnv", "DynamicsVectorEnv", "Table", "register_world"]

register_world("dreamgym/Catch-v0", "envs.catch:Catch")
register_world("dreamgym/CartPole-v0", "envs.cartpole:CartPole", max_episode_steps=500)
register_world("dreamgym/Lake-v0", "envs.tabular:Lake", max_episode_steps=100)
register_world(
    "dreamgym/Lake8x8-v0",
    "envs.tabular:Lake",
    max_episode_steps=200,
    kwargs={"map_name": "8x8"},
)
register_world("dreamgym/Cliff-v0", "envs.tabular:Cliff", max_episode_steps=500)
register_world(
    "dreamgym/CliffSlippery-v0",
    "envs.tabular:Cliff",
    max_episode_steps=500,
    kwargs={"is_slippery": True},
)
register_world("dreamgym/FourRooms-v0", "envs.tabular:FourRooms", max_episode_steps=500)
register_world("dreamgym/Walk-v0", "envs.tabular:Walk", max_episode_steps=1000)
register_world("dreamgym/Maze-v0", "envs.maze:Maze", max_episode_steps=200)
register_world(
    "dreamgym/TabularMaze-v0",
    "envs.maze:Maze",
    max_episode_steps=200,
    kwargs={"num_levels": 1, "obs": "cell"},
)
register_world("dreamgym/Recall-v0", "envs.recall:Recall")
register_world("dreamgym/PointMass-v0", "envs.pointmass:PointMass", max_episode_steps=200)
register_world("dreamgym/Pendulum-v0", "envs.pendulum:Pendulum", max_episode_steps=200)
register_world("dreamgym/Bricks-v0", "envs.bricks:Bricks", max_episode_steps=1000)
register_world("dreamgym/Snake-v0", "envs.snake:Snake", max_episode_steps=5000)
