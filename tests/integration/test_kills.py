"""SIGKILL of every process at random times: nothing is lost and nothing comes twice."""

from __future__ import annotations

import random
import time
from pathlib import Path

import onnxruntime
from model_factory import tiny_cnn, unpack
from rig import PROCESSES, Rig, always_in_contact, image, scenario, with_model

MODEL = "tiny"
JOBS = 60
KILLS_OF_EACH = 10
VICTIMS = ("node", "worker", "relay", "ground", "broker")


def expected_mask(folder: Path, data: bytes) -> object:
    """Compute what the model makes of an input, by nothing of ours."""
    bands = unpack(data)["bands"].astype("float32") * 0.0001
    for channel, (mean, deviation) in enumerate(
        zip((0.31, 0.29, 0.27, 0.42), (0.21, 0.2, 0.19, 0.23), strict=True)
    ):
        bands[..., channel] = (bands[..., channel] - mean) / deviation
    session = onnxruntime.InferenceSession(str(folder / "models" / MODEL / "model.onnx"))
    (scores,) = session.run(None, {"bands": bands})
    return scores.argmax(-1).astype("uint8")


def test_random_kills_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    flown = with_model(always_in_contact(scenario("demo")), MODEL, 0.05, 30.0)
    chance = random.Random(20)
    kills = [victim for victim in VICTIMS for _ in range(KILLS_OF_EACH)]
    chance.shuffle(kills)
    inputs = {f"job-{number:03}": image(number) for number in range(JOBS)}
    waiting = list(inputs)
    with Rig(tmp_path, flown, lambda models: tiny_cnn(models, MODEL), rate=20.0) as rig:
        for victim in kills:
            time.sleep(chance.uniform(0.1, 0.9))
            for job_id in waiting[:2]:
                rig.wait_ready("ground")
                rig.ground.submit(inputs[job_id], node="sat-1", model=MODEL, job_id=job_id)
                waiting.remove(job_id)
            rig.kill(victim)
            if victim in PROCESSES:
                rig.start(victim)
        rig.wait_ready("ground")
        for job_id in waiting:
            rig.ground.submit(inputs[job_id], node="sat-1", model=MODEL, job_id=job_id)
        rig.wait_until(lambda: set(rig.states().values()) == {"delivered"}, 120.0)

        assert {job.job_id: job.deliveries for job in rig.ground.jobs()} == dict.fromkeys(inputs, 1)
        assert sorted(result.job_id for result in rig.ground.results()) == sorted(inputs)
        for job_id, data in inputs.items():
            (mask,) = unpack(rig.ground.result(job_id)).values()
            assert (mask == expected_mask(tmp_path, data)).all()
