"""Settings of a model that change nothing: beside others, or with the data it was built for."""

from collections.abc import Iterator

from nets.ineffective import given, ruled_out, said
from nets.networks.decoders import ConvDecoder, ConvEncoder, MLPDecoder, MLPEncoder

from ..autoencoders.autoencoder import Autoencoder
from ..gans.wasserstein import WGANGP
from ..model import GenerativeModel

OURS = (ConvDecoder, ConvEncoder, MLPDecoder, MLPEncoder)


def ineffective(model: GenerativeModel) -> Iterator[str]:
    """Yield a sentence for each setting that is not what it usually is, and changes nothing."""
    config, usual = model.config, model.usual()
    names = given(config, usual)
    yield from ruled_out(config, names)
    for name, why in _idle(model):
        if name in names:
            yield said(config, name, why)


def _idle(model: GenerativeModel) -> Iterator[tuple[str, str]]:
    """Yield the settings that this model has no use for, and why."""
    config = model.config
    if not config.anneal_steps:
        yield "schedule", "as anneal_steps is 0: the learning rate does not fall"
    if isinstance(model, Autoencoder):
        yield from _idle_networks(model)
        if model.likelihood == "bernoulli":
            for name in ("scale", "learn_scale"):
                yield name, "as the likelihood is 'bernoulli', which has none"
    if isinstance(model, WGANGP):
        of_the_other = ("hidden",) if model.convolutional else ("base_filters", "upsampling")
        what = "pictures, and convolutions" if model.convolutional else "vectors, and layers dense"
        for name in of_the_other:
            yield name, f"as the data are {what}"


def _idle_networks(model: Autoencoder) -> Iterator[tuple[str, str]]:
    """Yield what is of networks that an autoencoder does not have."""
    shape = "x".join(map(str, model.shape))
    kinds = [kind for kind in OURS if any(isinstance(m, kind) for m in model.modules())]
    if not any(kind in kinds for kind in (ConvDecoder, ConvEncoder)):
        yield "channels", f"as no convolutions of them are in the networks for data of {shape}"
    if not kinds:
        for name in ("hidden", "activation"):
            yield name, "as encoder and decoder are others'"
