"""What people know from other libraries: words that are others here, or are given elsewhere."""

from .arguments import ARGUMENTS as ARGUMENTS
from .arguments import ATTRIBUTES as ATTRIBUTES
from .arguments import SETTINGS as SETTINGS
from .names import NAMES as NAMES
from .names import OPTIONS as OPTIONS
from .words import HABITS as HABITS
