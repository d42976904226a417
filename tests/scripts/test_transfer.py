"""The measurement of transfer, as a command: an agent's and a VAE's encoder into DQN."""

import json

ARMS = ["source", "scratch", "agent", "agent, frozen", "vae", "vae, frozen"]


def test_S_TL_01_transfer_leaves_one_record_for_each_seed(call, tmp_path):
    short = ("--moments", 200, "--vae-steps", 5, "--most-steps", 208, "--out", "kept")
    done = call("transfer", *short, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    file = tmp_path / "kept" / "transfer" / "seed-0.json"
    record = json.loads(file.read_text())
    assert 0 <= record["result"].pop("pictures")["active_latents"] <= 1
    assert list(record["result"]) == ARMS
    for name, one in record["result"].items():
        assert one["steps"] == 208  # too few to catch
        assert not one["learnt"]
        assert len(one["returns"]) == 2
        assert f"{name:15}   208 steps" in done.stdout
    assert record["config"]["dqn"]["encoder"] == record["config"]["vae"]["encoder"] == "nature"
    assert record["config"]["dqn"]["pretrained"] == ""
    assert record["command"].startswith("python scripts/transfer.py --moments 200")
    before = file.read_bytes()
    again = call("transfer", *short, cwd=tmp_path)  # what is there is not measured again
    assert again.stdout == done.stdout
    assert file.read_bytes() == before


def test_transfer_of_no_seed_is_refused(call, tmp_path):
    done = call("transfer", "--seeds", 0, cwd=tmp_path)
    assert done.returncode == 2
    assert "seeds is 0: expected at least 1" in done.stderr
