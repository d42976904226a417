from collections import OrderedDict

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.graph_pb2 import GraphDef
from tensorboard.plugins.hparams import metadata
from torch import nn

from nets.runs.logs import TensorBoard, dead_unit_fraction


def events(folder):
    accumulator = EventAccumulator(str(folder), size_guidance={"histograms": 0, "scalars": 0})
    return accumulator.Reload()


def scalars(folder, tag):
    return [(event.step, event.value) for event in events(folder).Scalars(tag)]


def test_S_TB_02_scalars_read_back_equal(tmp_path):
    values = {1: 0.5, 2: -3.25e-12, 3: 1e30, 100_000: float(np.pi)}
    with TensorBoard(tmp_path) as board:
        for step, value in values.items():
            board.scalars(step, {"return": value, "loss": 2 * value})
    assert scalars(tmp_path, "return") == [(s, float(np.float32(v))) for s, v in values.items()]
    assert scalars(tmp_path, "loss") == [(s, float(np.float32(2 * v))) for s, v in values.items()]


@pytest.mark.parametrize("resumed_from", [0, 2])
def test_S_TB_02_events_after_the_checkpoint_are_replaced(tmp_path, resumed_from):
    with TensorBoard(tmp_path) as board:
        for step in (1, 2, 3, 4):
            board.scalars(step, {"return": 10.0 + step})
    with TensorBoard(tmp_path, resume_step=resumed_from) as board:
        for step in range(resumed_from + 1, 6):
            board.scalars(step, {"return": 20.0 + step})
    expected = [(s, (10.0 if s <= resumed_from else 20.0) + s) for s in range(1, 6)]
    assert scalars(tmp_path, "return") == expected


def test_nothing_is_written_before_it_is_asked_for(tmp_path):
    with TensorBoard(tmp_path / "run"):
        pass
    assert not (tmp_path / "run").exists()


def test_S_TB_03_histogram_buckets_hold_every_weight(tmp_path):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(20, 30), nn.ReLU(), nn.Linear(30, 5, bias=False))
    with TensorBoard(tmp_path) as board:
        board.histograms(7, net)
    found = events(tmp_path)
    assert sorted(found.Tags()["histograms"]) == ["0/bias", "0/weight", "2/weight"]
    for tag in found.Tags()["histograms"]:
        (event,) = found.Histograms(tag)
        weights = net.get_parameter(tag.replace("/", ".")).detach().double().numpy().ravel()
        histogram = event.histogram_value
        assert event.step == 7
        assert sum(histogram.bucket) == histogram.num == weights.size
        assert histogram.sum == pytest.approx(weights.sum(), rel=1e-6)
        assert histogram.sum_squares == pytest.approx((weights**2).sum(), rel=1e-6)
        assert (histogram.min, histogram.max) == (weights.min(), weights.max())
        limits = np.array(histogram.bucket_limit)
        below = np.searchsorted(np.sort(weights), limits, side="right")
        np.testing.assert_allclose(np.cumsum(histogram.bucket), below, atol=1)


def test_S_TB_01_the_graph_has_the_modules_as_name_scopes(tmp_path):
    trunk = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5))
    net = nn.Sequential(OrderedDict(trunk=trunk, head=nn.Linear(4, 2)))
    net.head.eval()
    with TensorBoard(tmp_path) as board:
        board.graph(net, torch.randn(2, 3))
    assert (net.training, net.trunk[1].training, net.head.training) == (True, True, False)
    graph = GraphDef.FromString(events(tmp_path).Graph().SerializeToString())
    layers = [node.name for node in graph.node if node.op == "aten::linear"]
    assert ["[trunk]" in layers[0], "[head]" in layers[1], len(layers)] == [True, True, 2]
    assert "[trunk]/Linear[0]" in layers[0]
    inputs = [node.op for node in graph.node].count("IO Node")
    assert inputs == 2  # one in, one out


def test_S_TB_03_histograms_of_activations_hold_every_output(tmp_path):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 8), nn.Sequential(nn.ReLU(), nn.Linear(8, 2)))
    x = torch.randn(16, 3)
    with TensorBoard(tmp_path) as board:
        board.activations(4, net, x)
    found = events(tmp_path)
    outputs = {"0": net[0](x), "1/0": net[0](x).relu(), "1/1": net(x)}
    assert sorted(found.Tags()["histograms"]) == [f"activations/{name}" for name in outputs]
    for name, output in outputs.items():
        (event,) = found.Histograms(f"activations/{name}")
        assert event.step == 4
        assert sum(event.histogram_value.bucket) == output.numel()
        assert event.histogram_value.sum == pytest.approx(output.double().sum().item(), rel=1e-4)
    assert not any(module._forward_hooks for module in net.modules())


def test_S_TB_04_hparams_and_final_metric_read_back(tmp_path):
    config = {"lr": 1e-3, "double": True, "hidden": (64, 64), "name": "dqn", "limit": None}
    with TensorBoard(tmp_path) as board:
        board.scalars(1, {"return": 3.0})
        board.hparams(config, {"best": 495.5})
    assert scalars(tmp_path, "best") == [(0, 495.5)]
    found = events(tmp_path).PluginTagToContent(metadata.PLUGIN_NAME)
    start = metadata.parse_session_start_info_plugin_data(found[metadata.SESSION_START_INFO_TAG])
    values = start.hparams
    assert values["lr"].number_value == 1e-3
    assert values["double"].number_value == 1
    assert values["hidden"].string_value == "(64, 64)"
    assert values["name"].string_value == "dqn"
    assert values["limit"].string_value == "None"


def test_S_TB_04_dead_unit_fraction_counts_units_that_no_sample_wakes():
    activations = torch.tensor([[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 2.0, 0.0]])
    assert dead_unit_fraction(activations) == 0.5
    assert dead_unit_fraction(torch.ones(3, 4)) == 0.0


def test_S_TB_04_dead_units_of_a_layer_with_hopeless_biases():
    layer = nn.Linear(3, 10)
    with torch.no_grad():
        layer.bias[:4] = -1e3
        layer.bias[4:] = 1e3
    activations = torch.relu(layer(torch.randn(64, 3)))
    assert dead_unit_fraction(activations) == pytest.approx(0.4)
    pictures = torch.zeros(5, 2, 3, 3)
    pictures[4, 1, 2, 2] = 1.0
    assert dead_unit_fraction(pictures) == pytest.approx(17 / 18)
