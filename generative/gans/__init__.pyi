from .minimax import DCGAN as DCGAN
from .minimax import GAN as GAN
from .minimax import DCGANConfig as DCGANConfig
from .minimax import GANConfig as GANConfig
from .wasserstein import WGANGP as WGANGP
from .wasserstein import WGANGPConfig as WGANGPConfig
