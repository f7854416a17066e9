"""Accuracy over seeds: python -m benchmarks.accuracy published

Trains an architecture with the `best` recipe once for each seed and writes checkpoints/NAME: the
network and record of seed 0, and seeds.json with the last epoch's figures of all. Seeds that are
in seeds.json for the same recipe are not trained again. With --cluster tcp://scheduler:8786 the
workers of that Dask cluster train the seeds side by side.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Iterable, Iterator
from typing import Any

from torch import Tensor

from core.mnist import checkpoint, data, records
from core.mnist.events import EpochDone, Finished
from core.mnist.files import save_json
from core.mnist.recipe import NETWORKS, TrainConfig, preset
from core.mnist.training import train

SEEDS = 5


def known(name: str, recipe: dict[str, Any]) -> list[dict[str, Any]]:
    """The seeds that are done with this recipe."""
    path = records.CHECKPOINTS / name / records.SEEDS
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return list(found["runs"]) if found.get("recipe") == recipe else []


Trained = tuple[dict[str, Any], dict[str, Tensor], records.Record]
"""Figures, weights, record: what can go from machine to machine, as a network cannot."""


def measure(name: str, seeds: Iterable[int], cluster: str = "") -> list[dict[str, Any]]:
    """Train the seeds that are missing; every seed's figures."""
    recipe = preset("best", architecture=name).to_json()
    del recipe["seed"]
    done = known(name, recipe)
    missing = [seed for seed in seeds if seed not in [run["seed"] for run in done]]
    for figures, weights, record in _trained(name, missing, cluster):
        if record.config.seed == 0:
            model = checkpoint.fill(record.config, weights, name)
            checkpoint.save(records.CHECKPOINTS / name, model, record)
        done.append(figures)  # only now: a seed that is known is not trained again
        done.sort(key=lambda run: run["seed"])
        found = {
            "command": f"python -m benchmarks.accuracy {name}",
            "recipe": recipe,
            "runs": done,
        }
        save_json(records.CHECKPOINTS / name / records.SEEDS, found)
    return done


def _trained(name: str, seeds: list[int], cluster: str) -> Iterator[Trained]:
    """Each seed's outcome as soon as it is there."""
    configs = [preset("best", architecture=name, seed=seed) for seed in seeds]
    if not cluster:
        yield from map(_run, configs)
        return
    from distributed import Client, as_completed

    with Client(cluster) as client:
        for task in as_completed(client.map(_run, configs, pure=False)):
            yield task.result()


def _run(config: TrainConfig) -> Trained:
    epochs, digits = [], data.load("mnist")
    for event in train(config, digits):
        if isinstance(event, EpochDone):
            epochs.append(records.EpochRecord.of(event))
            test = event.test
            print(f"seed {config.seed}", epochs[-1].line(), flush=True)
        if isinstance(event, Finished):
            record = records.Record(config, epochs, test, checkpoint.versions(), event.calibration)
            weights = dict(event.model.state_dict())
    last = epochs[-1]
    seconds = sum(epoch.seconds for epoch in epochs)
    figures = {
        "seed": config.seed,
        "correct": last.test_correct,
        "total": last.test_total,
        "loss": last.test_loss,
        "seconds": round(seconds, 1),
    }
    return figures, weights, record


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("architecture", choices=NETWORKS)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many, from 0 on")
    parser.add_argument("--cluster", default="", help="the address of a Dask scheduler")
    given = parser.parse_args()
    done = measure(given.architecture, range(given.seeds), given.cluster)
    percent = [100 * run["correct"] / run["total"] for run in done]
    spread = statistics.stdev(percent) if len(percent) > 1 else 0.0
    print(
        f"{given.architecture}: {statistics.mean(percent):.3f} % ± {spread:.3f} (sd) over "
        f"{len(percent)} seeds, {min(percent):.2f} to {max(percent):.2f} %, last epoch"
    )


if __name__ == "__main__":
    main()
