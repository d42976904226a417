from .dataset import Dataset as Dataset
from .load import load_dataset as load_dataset
