import multiprocessing
import random
import threading

import numpy as np
import pytest
import torch
from torch import nn

from nets.process import seeding
from nets.process.seeding import give_way, hash31, seeded


def draws():
    """One draw from each global generator."""
    return random.random(), float(np.random.rand()), torch.rand(2).tolist()  # noqa: NPY002


def test_hash31_never_changes():
    """Another hash would give every recorded run other numbers."""
    assert hash31(7, "segment", 3) == 1831052470


def test_hash31_is_in_range_and_distinct():
    words = [(s, p, k) for s in range(40) for p in ("segment", "evaluation") for k in range(40)]
    hashes = {hash31(*w) for w in words}
    # 3200 of 2³¹ values: by the birthday bound one collision has a chance of 0.24 %
    assert len(hashes) == len(words)
    assert all(0 <= h < 2**31 for h in hashes)
    # uniform: the mean of 3200 draws lies within four standard errors of the middle
    mean = np.mean([h / 2**31 for h in hashes])
    assert abs(mean - 0.5) < 4 * (1 / np.sqrt(12)) / np.sqrt(len(words))


def test_hash31_keeps_words_apart():
    assert hash31(1, 23) != hash31(12, 3)
    assert hash31("1", 2) != hash31(1, 2)
    assert hash31("a", "b") != hash31("ab")
    assert hash31("a\x1fb") != hash31("a", "b")
    assert hash31(0) != hash31(0, 0)


def test_hash31_takes_numpys_integers_for_what_they_are():
    assert hash31(np.int64(5), "agent") == hash31(5, "agent") == hash31(np.uint8(5), "agent")


def test_the_same_seed_gives_the_same_draws_and_another_seed_others():
    with seeded(5):
        first = draws()
    with seeded(5):
        assert draws() == first
    with seeded(6):
        other = draws()
    assert all(a != b for a, b in zip(first, other, strict=True))


def test_the_outside_goes_on_as_if_nothing_had_happened():
    with seeded(1):
        expected = [draws(), draws()]
    with seeded(1):
        before = draws()
        with seeded(99):
            inner = draws()
            nn.Linear(3, 3)
            nn.functional.dropout(torch.ones(9))
        assert [before, draws()] == expected
    with seeded(99):
        assert inner == draws()


def test_the_outside_is_restored_after_an_error():
    with seeded(1):
        expected = draws()
    with seeded(1):
        with pytest.raises(ZeroDivisionError), seeded(2):
            draws()[0] / 0
        assert draws() == expected


def test_layers_and_dropout_are_repeatable_inside():
    def make():
        with seeded(11):
            layer = nn.Linear(6, 6)
            return layer.weight.detach().clone(), nn.functional.dropout(torch.ones(50), 0.5)

    (weight, mask), (weight_2, mask_2) = make(), make()
    assert torch.equal(weight, weight_2)
    assert torch.equal(mask, mask_2)
    assert 0 < mask.sum() < 100


def drawing(path, seed, meet):
    """Draw in a block of its own, letting others have turns in between."""
    with seeded(seed):
        meet()
        for _ in range(50):
            path.append((torch.rand(3).tolist(), random.random(), np.random.rand()))  # noqa: NPY002
            give_way()


def test_threads_draw_what_they_would_draw_alone():
    alone = {seed: [] for seed in (1, 2, 3)}
    for seed, path in alone.items():
        drawing(path, seed, lambda: None)
    torch.manual_seed(9)
    before = torch.get_rng_state()
    together = {seed: [] for seed in alone}
    order = []

    def run(seed):
        drawing(together[seed], seed, lambda: order.append(seed))

    with seeded(0):  # so that all wait at first
        threads = [threading.Thread(target=run, args=(seed,)) for seed in together]
        for thread in threads:
            thread.start()
        while len(seeding._turn.waiting) < len(threads):
            pass
        give_way()
        assert len(order) > 0
    for thread in threads:
        thread.join()
    assert together == alone
    assert torch.equal(torch.get_rng_state(), before)


def test_a_thread_takes_its_turn_while_another_goes_on():
    """One that trains for hours does not keep others waiting until it is done."""
    done = threading.Event()

    def brief():
        with seeded(1):
            done.set()

    with seeded(0):
        thread = threading.Thread(target=brief)
        thread.start()
        first = torch.rand(2)
        while not done.is_set():
            give_way()
        second = torch.rand(2)
        thread.join()
    with seeded(0):
        assert torch.equal(first, torch.rand(2))
        assert torch.equal(second, torch.rand(2))


def test_a_thread_that_waits_for_long_is_told_of(monkeypatch):
    monkeypatch.setattr(seeding, "LONG_WAIT", 0.01)
    thread = threading.Thread(target=drawing, args=([], 1, lambda: None))

    def keep_it_waiting():
        with seeded(0):
            thread.start()
            thread.join(0.2)
        thread.join()

    with pytest.warns(UserWarning, match="waits for one of another thread"):
        keep_it_waiting()


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_forked_processes_do_not_wait_for_threads_they_do_not_have():
    inside, leave = threading.Event(), threading.Event()

    def hold():
        with seeded(1):
            inside.set()
            leave.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait()
    child = multiprocessing.get_context("fork").Process(target=drawing, args=([], 1, leave.set))
    child.start()
    child.join(20)
    assert child.exitcode == 0
    leave.set()
    thread.join()
