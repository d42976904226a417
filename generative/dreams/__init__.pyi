from .fidelity import truth as truth
from .scalar import DreamEnv as DreamEnv
from .tables import table_truth as table_truth
from .vector import DreamVectorEnv as DreamVectorEnv

DREAM_ID: str
