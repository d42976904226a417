"""MinAtar's games (Young and Tian, 2019), registered: `envs.minatar:MinAtar/Breakout-v1`.

Importing MinAtar itself registers nothing.
"""

from minatar.gym import register_envs

register_envs()
