"""torchvision's weights in ours: the same answers for the same pictures, standardised as theirs."""

import pytest
import torch
from torch import nn

from nets import classic_cnn
from nets.networks.pretrained import Standardise

MEAN = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
STD = torch.tensor([0.229, 0.224, 0.225])[:, None, None]


@pytest.fixture
def models(monkeypatch):
    """torchvision's models, whose published weights are drawn at random here."""
    models = pytest.importorskip("torchvision").models
    made = models.get_model

    def get_model(name, weights=None, **options):
        if weights not in (None, "DEFAULT"):
            raise ValueError(f"no weights {weights}")
        torch.manual_seed(0)
        if name == "googlenet" and weights:  # as torchvision makes it of its weights
            options |= {"transform_input": True, "aux_logits": False, "init_weights": False}
        return made(name, **options)

    monkeypatch.setattr(models, "get_model", get_model)
    return models


@pytest.mark.parametrize("name", ["alexnet", "resnet-18", "vgg-11-bn", "densenet-121", "googlenet"])
def test_pretrained_networks_answer_as_torchvisions(models, name):
    theirs = models.get_model(name.replace("-bn", "_bn").replace("-", ""), weights="DEFAULT").eval()
    ours = classic_cnn(name, (3, 96, 96), weights="DEFAULT").eval()
    pictures = torch.randint(0, 256, (2, 3, 96, 96), dtype=torch.uint8)
    with torch.no_grad():
        expected = theirs((pictures / 255 - MEAN) / STD)
        torch.testing.assert_close(ours(pictures), expected, rtol=1e-4, atol=1e-4)


def test_another_number_of_classes_gets_a_classifier_of_its_own(models, tmp_path):
    theirs = models.get_model("resnet18", weights="DEFAULT").eval()
    torch.save(theirs.state_dict(), tmp_path / "resnet18.pth")
    for network in (
        classic_cnn("resnet-18", (3, 64, 64), 7, weights="DEFAULT"),
        classic_cnn("resnet-18", (3, 64, 64), 7, weights=tmp_path / "resnet18.pth"),
        classic_cnn("resnet-18", (3, 64, 64), 0, weights="DEFAULT"),
    ):
        assert torch.equal(network.features[0].weight, theirs.conv1.weight)
        assert network.out_features in (7, 512)
        fresh = classic_cnn("resnet-18", (3, 64, 64), network.out_features % 512)
        with pytest.raises(RuntimeError, match="normalise"):  # whose pictures would be others
            fresh.load_state_dict(network.state_dict())


def test_what_does_not_fit_is_refused(models, tmp_path):
    with pytest.raises(
        ValueError, match="pictures have 1 channels: torchvision's weights are of 3"
    ):
        classic_cnn("resnet-18", (1, 64, 64), weights="DEFAULT")
    torch.save(models.get_model("resnet18").state_dict(), tmp_path / "small.pth")
    with pytest.raises(ValueError, match=r"small\.pth holds no weights of torchvision's resnet34"):
        classic_cnn("resnet-34", (3, 64, 64), weights=tmp_path / "small.pth")


def test_pictures_are_standardised_channel_by_channel():
    x = torch.rand(4, 3, 5, 5)
    torch.testing.assert_close(Standardise((0.1, 0.2, 0.3), (1.0, 2.0, 3.0))(x)[:, 2],
                               (x[:, 2] - 0.3) / 3.0)  # fmt: skip
    assert isinstance(classic_cnn("resnet-18", (3, 64, 64), 2).normalise, nn.Identity)
