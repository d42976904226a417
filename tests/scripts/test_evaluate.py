"""`evaluate`: text for people, one JSON object for programs."""

import json

import numpy as np

import agents
from agents.commands.evaluate import main as evaluate


def test_json_is_one_object_with_the_figures_of_a_second_evaluation(learned, call):
    result = call("evaluate", learned.folder, "--episodes", 5, "--seed", 7, "--json", cwd="/")
    assert result.returncode == 0, result.stderr
    record = json.loads(result.stdout)
    assert list(record) == [
        *("mean_return", "std_return", "discounted_return", "episodes", "returns", "cut"),
        "checkpoint",
    ]
    assert record["checkpoint"] == str(learned.folder / "best" / "checkpoint.pt")
    assert record["episodes"] == len(record["returns"]) == 5
    assert record["mean_return"] == np.mean(record["returns"])
    assert record["std_return"] == np.std(record["returns"])
    agent = agents.load(learned.folder)
    again = agents.evaluate(agent, episodes=5, seed=7)
    assert record["returns"] == again.returns
    # CartPole pays 1 a step, so the discounted return of L steps is (1 - γ^L) / (1 - γ)
    lengths, discount = np.array(record["returns"]), agent.config.discount
    expected = ((1 - discount**lengths) / (1 - discount)).mean()
    np.testing.assert_allclose(record["discounted_return"], expected)


def test_text_has_the_interval_of_students_t_within_what_was_seen(learned, capsys):
    assert evaluate([str(learned.folder), "--episodes", "4", "--seed", "3"]) == 0
    lines = dict(line.split("  ", 1) for line in capsys.readouterr().out.splitlines())
    returns = agents.evaluate(agents.load(learned.folder), episodes=4, seed=3).returns
    margin = 3.182446 * np.std(returns, ddof=1) / 2  # t(0.975, 3 degrees of freedom)
    low, high = (float(word) for word in lines["95 % interval"].split(" to "))
    mean = np.mean(returns)
    expected = max(mean - margin, min(returns)), min(mean + margin, max(returns))
    np.testing.assert_allclose([low, high], expected, atol=2e-3)
    assert float(lines["standard deviation"]) == round(np.std(returns), 3)


def test_named_checkpoint_is_evaluated(learned, capsys):
    assert evaluate([str(learned.folder), "--checkpoint", "last", "--episodes", "1"]) == 0
    text = capsys.readouterr().out
    assert str(learned.folder / "checkpoints" / "0000001500.pt") in text
    assert "1 episode, greedy" in text
    assert "interval" not in text  # one episode has none


def test_seed_decides_the_episodes(learned, capsys):
    printed = []
    for seed in ("1", "1", "2"):
        evaluate([str(learned.folder), "--episodes", "3", "--seed", seed, "--json"])
        printed.append(json.loads(capsys.readouterr().out)["returns"])
    assert printed[0] == printed[1] != printed[2]
