"""Worlds: Gymnasium environments written once, run as scalar, vector and picture."""

from envs.core import Dynamics, DynamicsEnv
from envs.numbers import Table
from envs.registration import register_world
from envs.vector import DynamicsVectorEnv

__all__ = ["Dynamics", "DynamicsEnv", "DynamicsVectorEnv", "Table", "register_world"]

register_world("dreamgym/Catch-v0", "envs.catch:Catch")
register_world("dreamgym/CartPole-v0", "envs.cartpole:CartPole", max_episode_steps=500)
