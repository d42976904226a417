"""Small data, and a model whose steps can be computed by hand."""

import torch
from torch import nn

from generative.data.dataset import Dataset
from generative.model import GenerativeModel, Loss, ModelConfig, Player
from nets.process.seeding import seeded

SMALL = {"hidden": (16,), "batch_size": 8}


def pictures(rows=40, size=8, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randint(0, 256, (rows, 1, size, size), generator=generator, dtype=torch.uint8)
    return Dataset("pictures", x)


def points(rows=40, seed=0):
    return Dataset("points", torch.randn(rows, 2, generator=torch.Generator().manual_seed(seed)))


def build(kind, config=None, data=None, seed=0):
    data = pictures() if data is None else data
    with seeded(seed):
        return kind(data.shape, config, dataset_size=len(data))


def weights(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


class Line(GenerativeModel):
    """The mean of the data: loss ½ E‖x − θ‖², whose steps can be computed by hand."""

    name = "line"
    config_type = ModelConfig

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.theta = nn.Parameter(torch.zeros(self.shape))
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))
        self.validated = []

    def players(self):
        return (Player("line", self, self.loss),)

    def loss(self, batch):
        self.seen += 1
        return Loss(0.5 * (batch.x - self.theta).square().sum(1).mean(), {})

    def sample(self, n, label=None):
        return self.theta.detach().expand(n, -1)

    def validate(self, batch):
        return {"loss": (batch.x - self.theta).square().sum(1).mean()}
