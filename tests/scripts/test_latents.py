"""The example of agents on latents, as a command."""

import json


def test_latents_leaves_one_record_for_each_seed(call, tmp_path):
    short = ("--moments", 200, "--vae-steps", 5, "--most-steps", 416)
    done = call("latents", *short, "--seeds", 2, "--out", "kept", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    records = [json.loads(f.read_text()) for f in sorted(tmp_path.glob("kept/latents/seed-*.json"))]
    assert [record["seed"] for record in records] == [0, 1]
    first, second = (record["result"] for record in records)
    assert first["vae"]["elbo"] != second["vae"]["elbo"]
    for result in (first, second):
        for name in ("pixels", "latents"):
            assert result[name]["steps"] == 416  # too few to catch
            assert not result[name]["learnt"]
            assert f"{name:15}   416 steps" in done.stdout
    assert records[0]["config"]["vae"]["encoder"] == "mlp"
    assert records[0]["config"]["dqn"]["hidden"] == [256, 256]
    assert records[0]["command"].startswith("python scripts/latents.py --moments 200")
    assert records[0]["commit"]


def test_latents_of_no_seed_are_refused(call, tmp_path):
    done = call("latents", "--seeds", 0, cwd=tmp_path)
    assert done.returncode == 2
    assert "seeds is 0: expected at least 1" in done.stderr
