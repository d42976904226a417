from .config import WorldConfig as WorldConfig
from .episodes import Episodes as Episodes
from .episodes import Window as Window
from .episodes import Windows as Windows
from .experience import collect as collect
from .spaces import WorldSpec as WorldSpec
from .spaces import spec_of as spec_of
from .world import World as World
