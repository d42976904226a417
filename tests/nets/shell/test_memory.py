"""How much memory was asked for is told in one line, whoever found that it is not there."""

import numpy as np
import pytest
import torch

from nets.shell.command_line import command


def layers():
    torch.empty(2**45)


def table():
    np.empty((2**15, 2**30, 2))  # 2^49 bytes


def gpu():
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has ...")


def silent():
    raise MemoryError


@pytest.mark.parametrize(
    ("ask", "size"),
    [(layers, "128 TiB"), (table, "512 TiB"), (gpu, "20 GiB"), (silent, "more than there is")],
)
def test_how_much_was_asked_for_is_told(ask, size, capsys):
    assert command(lambda _: ask())([]) == 2
    assert capsys.readouterr().err == (
        f"error: not enough memory: {size} asked for at once, "
        "expected smaller layers, batches or pictures, or less to remember\n"
    )
