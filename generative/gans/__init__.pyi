from .config import DCGANConfig as DCGANConfig
from .config import GANConfig as GANConfig
from .config import WGANGPConfig as WGANGPConfig
from .minimax import DCGAN as DCGAN
from .minimax import GAN as GAN
from .wasserstein import WGANGP as WGANGP
