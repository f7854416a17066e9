"""Train a network: python -m core.mnist.train --preset best --arch published --seed 0

The app starts the same program with --worker and a folder; it then waits for its turn.
"""

# Imports torch only inside functions: a worker may wait for long, and waits without it.

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import Timeout

from core.mnist import queueing

if TYPE_CHECKING:
    from core.mnist.training import TrainConfig

NICENESS = 19  # pages answer first, training takes what is left


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0 done or stopped, 1 failed, 2 bad arguments."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["--worker"] and len(arguments) == 2:
        return _worker(Path(arguments[1]))
    return _command(arguments)


def _worker(folder: Path) -> int:
    if hasattr(os, "nice"):  # Windows has none
        os.nice(NICENESS)
    try:
        lock = queueing.hold(folder)
    except (Timeout, OSError):
        print(f"{folder} has a worker already, or is gone.", file=sys.stderr)
        return 1
    with lock:
        try:
            has_turn = queueing.wait_for_turn(folder)
        except queueing.RunError as error:
            queueing.fail(folder, str(error))
            print(error, file=sys.stderr)
            return 1
        if not has_turn:
            queueing.append(folder, queueing.State.STOPPED)
            return 0
        from core.mnist import runs

        try:
            for _ in runs.work(folder):
                pass
        except runs.FAILURES as error:
            print(error, file=sys.stderr)
            return 1
    return 0


def _command(arguments: list[str]) -> int:
    from tqdm import tqdm

    from core.mnist import checkpoint, runs
    from core.mnist.training import BatchDone, ConfigError, EpochDone, Finished

    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        config = _config(given)
        folder = runs.enter(config, given.preset)
    except (ConfigError, queueing.RunError) as error:
        parser.error(str(error))
    print(f"Run {folder.name}: {config.architecture}, {config.epochs} epochs, seed {config.seed}")
    bar = tqdm(disable=True)
    try:
        with queueing.hold(folder):
            if before := queueing.ahead(folder):
                print(f"Runs ahead in the queue: {before}. Waiting; Ctrl+C gives up.", flush=True)
            if not queueing.wait_for_turn(folder):
                queueing.append(folder, queueing.State.STOPPED)
                print("Stopped while it waited. The page can resume this run.", file=sys.stderr)
                return 0
            for event in runs.work(folder):
                match event:
                    case BatchDone():
                        if event.batch == 1:
                            bar = tqdm(total=event.batches)
                        bar.set_description(
                            f"loss={event.loss:.4f} batch_id={event.batch - 1}", refresh=False
                        )
                        bar.update()
                    case EpochDone():
                        bar.close()
                        print(checkpoint.EpochRecord.of(event).line(), flush=True)
                    case Finished():
                        if given.save:
                            record = checkpoint.load_record(folder / checkpoint.RECORD)
                            checkpoint.save(given.save, event.model, record)
                        print(f"Saved in {given.save or folder}")
    except runs.FAILURES as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        queueing.append(folder, queueing.State.STOPPED)
        print("\nStopped. The page can resume this run.", file=sys.stderr)
    return 0


def _parser() -> argparse.ArgumentParser:
    from core.mnist.training import AUGMENTATION, CHOICES, PRESETS, RANGES

    parser = argparse.ArgumentParser(
        prog="python -m core.mnist.train",
        description="Train a network on handwritten digits.",
        epilog="What is not given is as the preset has it.",
    )
    parser.add_argument("--preset", default="best", help=", ".join(PRESETS))
    parser.add_argument("--save", type=Path, help="write model.safetensors and run.json there too")
    names = {"architecture": ["--arch", "--architecture"]}
    for name, allowed in CHOICES.items():
        flags = names.get(name, [f"--{name}"])
        parser.add_argument(*flags, dest=name, help=", ".join(allowed))
    for name, (low, high) in RANGES.items():
        kind = float if name in AUGMENTATION or isinstance(low, float) else int
        flag = f"--{name.replace('_', '-')}"
        parser.add_argument(flag, dest=name, type=kind, help=f"{low} to {high}")
    return parser


def _config(given: argparse.Namespace) -> TrainConfig:
    from dataclasses import replace

    from core.mnist.training import AUGMENTATION, CHOICES, RANGES, preset

    changes = {
        name: getattr(given, name)
        for name in (*CHOICES, *RANGES)
        if getattr(given, name) is not None
    }
    affine = {name: changes.pop(name) for name in AUGMENTATION if name in changes}
    source = {"data": given.data} if given.data else {}
    config = preset(given.preset, **source)
    return replace(config, augmentation=replace(config.augmentation, **affine), **changes)


if __name__ == "__main__":
    sys.exit(main())
