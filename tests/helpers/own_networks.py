"""Networks and schedules as people write them."""

import torch
from torch import nn


class Dense(nn.Module):
    """An encoder of vectors that says what it sees, and not what it gives."""

    def __init__(self, space):
        super().__init__()
        self.layer = nn.Linear(space.shape[0], 8)

    def forward(self, x):
        return self.layer(x).relu()


class Parts(nn.Module):
    """An encoder of a Dict of a vector, a picture and a state."""

    def __init__(self, observation_space):
        super().__init__()
        vector, state = observation_space["vector"], observation_space["state"]
        self.vector = nn.Linear(vector.shape[0], 3)
        self.picture = nn.Sequential(nn.Flatten(), nn.LazyLinear(4))
        self.state = nn.Embedding(int(state.n), 2)
        self.seen = {}

    def forward(self, x):
        self.seen = {key: (part.dtype, tuple(part.shape)) for key, part in x.items()}
        picture = self.picture(x["picture"] / 255.0)
        return torch.cat([self.vector(x["vector"]), picture, self.state(x["state"])], dim=1)


class Forgetful(nn.Module):
    """An encoder with a tensor that no device is told of."""

    def __init__(self, space):
        super().__init__()
        self.shift = torch.ones(4)

    def forward(self, x):
        return x + self.shift


class Dropping(nn.Module):
    """An encoder that drops out without a module that says so."""

    def __init__(self, space):
        super().__init__()
        self.layer = nn.Linear(4, 8)

    def forward(self, x):
        return nn.functional.dropout(self.layer(x), 0.5, self.training)


class Normalised(nn.Module):
    """An encoder that runs otherwise when it learns."""

    def __init__(self, space):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.5))

    def forward(self, x):
        return self.layers(x)


ready = nn.Linear(4, 6)
number = 5


def dense(space):
    return Dense(space)


def halved(left):
    return 1e-3 * left


class Codes(nn.Sequential):
    """An encoder for autoencoders."""

    def __init__(self, shape):
        super().__init__(nn.Flatten(), nn.LazyLinear(9), nn.ReLU())


class Pictures(nn.Sequential):
    """A decoder for autoencoders."""

    def __init__(self, latent, shape):
        super().__init__(nn.Linear(latent, torch.Size(shape).numel()), nn.Unflatten(1, shape))
