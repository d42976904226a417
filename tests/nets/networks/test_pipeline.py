"""The whole way from data to a share of right answers: scaled, one-hot, CNN, logits, accuracy."""

import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from nets import CNN, optimizer, schedule
from nets.layers.pooling import GlobalMeanPool2d
from nets.process.seeding import seeded
from nets.supervised.fit import FitConfig, evaluate, fit
from nets.supervised.metrics import accuracy
from nets.supervised.sampling import one_hot
from nets.supervised.splits import hold_out


def test_N_LOSS_10_accuracy_is_the_share_of_rows_whose_largest_logit_is_right():
    logits = torch.tensor([[2.0, 1.0, 0.0], [0.0, -1.0, 5.0], [-3.0, -1.0, -2.0], [1.0, 0.0, 0.5]])
    assert accuracy(logits, torch.tensor([0, 2, 0, 0])).item() == 0.75
    assert accuracy(logits, logits.argmax(dim=1)).item() == 1.0
    assert accuracy(logits, logits.argmin(dim=1)).item() == 0.0


def train(network, inputs, labels, epochs):
    """Return the accuracy on a fifth of the rows, held out."""
    learned, tested = hold_out(len(inputs), 0.2, seed=0)
    adam = optimizer("adam", network, lr=5e-3)
    fit(
        network,
        (inputs[learned], one_hot(labels[learned], int(labels.max()) + 1).float()),
        loss=nn.CrossEntropyLoss(),
        optimizer=adam,
        scheduler=schedule("cosine", adam, steps=epochs),
        config=FitConfig(epochs=epochs, batch_size=64),
    )
    return evaluate(network, (inputs[tested], labels[tested]), {"right": accuracy})["right"]


def test_N_CNN_07_a_pipeline_reads_98_of_100_digits():
    digits = load_digits()
    inputs = torch.as_tensor(digits.images, dtype=torch.float32)[:, None] / 16  # [N, 1, 8, 8]
    with seeded(0):
        see = CNN((1, 8, 8), [16, 32], 3, 1, paddings="same", norm="batch", pool="max")
        network = nn.Sequential(see, nn.Dropout(0.5), nn.Linear(see.out_features, 10))
        assert train(network, inputs, torch.as_tensor(digits.target), epochs=15) >= 0.98


@pytest.mark.parametrize("ordered", [True, False])
def test_N_CNN_08_any_grid_will_do_if_neighbours_belong_together(ordered):
    generator = torch.Generator().manual_seed(0)
    rows, height, width, length = 600, 8, 16, 5
    labels = torch.arange(rows) % 2
    tables = 0.3 * torch.randn(rows, 1, height, width, generator=generator)
    top = torch.randint(height - length + 1, (rows,), generator=generator)
    left = torch.randint(width - length + 1, (rows,), generator=generator)
    for k in range(length):  # a tone that rises or falls, somewhere in frequency and time
        up = torch.where(labels == 1, k, length - 1 - k)
        tables[torch.arange(rows), 0, top + up, left + k] += 2.0
    if not ordered:  # the same numbers, where columns have no order
        tables = tables[..., torch.randperm(width, generator=generator)]
    with seeded(0):
        hear = CNN((1, height, width), [16, 16], 3, 1, paddings="same")
        network = nn.Sequential(hear.blocks, GlobalMeanPool2d(), nn.Linear(16, 2))
        right = train(network, tables, labels, epochs=15)
    assert right >= 0.95 if ordered else right <= 0.8
