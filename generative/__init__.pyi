__version__: str

from .autoencoders.adversarial import AAE as AAE
from .autoencoders.config import AAEConfig as AAEConfig
from .autoencoders.config import AEConfig as AEConfig
from .autoencoders.config import BetaTCVAEConfig as BetaTCVAEConfig
from .autoencoders.config import BetaVAEConfig as BetaVAEConfig
from .autoencoders.config import VAEConfig as VAEConfig
from .autoencoders.plain import AE as AE
from .autoencoders.variational import VAE as VAE
from .autoencoders.variational import BetaTCVAE as BetaTCVAE
from .autoencoders.variational import BetaVAE as BetaVAE
from .catalogue import MODELS as MODELS
from .catalogue import find_model as find_model
from .data.dataset import Dataset as Dataset
from .data.load import load_dataset as load_dataset
from .gans.minimax import DCGAN as DCGAN
from .gans.minimax import GAN as GAN
from .gans.minimax import DCGANConfig as DCGANConfig
from .gans.minimax import GANConfig as GANConfig
from .gans.wasserstein import WGANGP as WGANGP
from .gans.wasserstein import WGANGPConfig as WGANGPConfig
from .loading import build_model as build_model
from .loading import load as load
from .loading import save as save
from .training.run import RunConfig as RunConfig
from .training.run import RunFolder as RunFolder
from .training.trainer import Trainer as Trainer
