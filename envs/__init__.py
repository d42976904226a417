"""Worlds: Gymnasium environments written once, run as scalar, vector and picture."""

import sys
from typing import TYPE_CHECKING

from .dynamics import Dynamics
from .grids import grid, worlds
from .grids.grid import Cell, Grid, slip
from .grids.worlds import GridWorld
from .near import Hints, instead_of
from .numbers import Table
from .registration import register_world
from .scalar import DynamicsEnv
from .vector import DynamicsVectorEnv

__version__ = "0.1.0"

__all__ = [
    "Cell",
    "Dynamics",
    "DynamicsEnv",
    "DynamicsVectorEnv",
    "Grid",
    "GridWorld",
    "Table",
    "register_world",
    "slip",
]


if not TYPE_CHECKING:  # type checkers know what there is

    def __getattr__(name: str) -> None:
        """Say which name was meant."""
        meant = instead_of(name, __all__)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{meant}", name=name)

    Hints(__name__, __all__)


sys.modules |= {f"{__name__}.grid": grid, f"{__name__}.tabular": worlds}  # their names in 0.1

register_world("dreamgym/Catch-v0", "envs.worlds.catch:Catch")
register_world("dreamgym/CartPole-v0", "envs.worlds.cartpole:CartPole", max_episode_steps=500)
register_world("dreamgym/Lake-v0", "envs.grids.worlds:Lake", max_episode_steps=100)
register_world(
    "dreamgym/Lake8x8-v0",
    "envs.grids.worlds:Lake",
    max_episode_steps=200,
    kwargs={"map_name": "8x8"},
)
register_world("dreamgym/Cliff-v0", "envs.grids.worlds:Cliff", max_episode_steps=500)
register_world(
    "dreamgym/CliffSlippery-v0",
    "envs.grids.worlds:Cliff",
    max_episode_steps=500,
    kwargs={"is_slippery": True},
)
register_world("dreamgym/FourRooms-v0", "envs.grids.worlds:FourRooms", max_episode_steps=500)
register_world("dreamgym/Walk-v0", "envs.grids.worlds:Walk", max_episode_steps=1000)
register_world("dreamgym/Maze-v0", "envs.grids.maze:Maze", max_episode_steps=200)
register_world(
    "dreamgym/TabularMaze-v0",
    "envs.grids.maze:Maze",
    max_episode_steps=200,
    kwargs={"num_levels": 1, "obs": "cell"},
)
register_world("dreamgym/Recall-v0", "envs.worlds.recall:Recall")
register_world("dreamgym/PointMass-v0", "envs.worlds.pointmass:PointMass", max_episode_steps=200)
register_world("dreamgym/Pendulum-v0", "envs.worlds.pendulum:Pendulum", max_episode_steps=200)
register_world("dreamgym/Reach-v0", "envs.worlds.reach:Reach", max_episode_steps=50)
register_world("dreamgym/Bricks-v0", "envs.worlds.bricks:Bricks", max_episode_steps=1000)
register_world("dreamgym/Snake-v0", "envs.worlds.snake:Snake", max_episode_steps=5000)
