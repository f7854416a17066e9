"""Train a network: python -m core.mnist.train --preset best --arch published --seed 0

The app starts the same program with --worker and a folder; it then waits for its turn.
"""

# Imports torch only inside functions: a worker may wait for long, and waits without it; help and a
# wrong argument need none either.

from __future__ import annotations

import argparse
import os
import sys
from contextlib import suppress
from pathlib import Path

from filelock import Timeout

from core.mnist import records, run_folder
from core.mnist.policy import policy
from core.mnist.recipe import HYPERPARAMETERS, PRESETS, ConfigError, TrainConfig, preset

NICENESS = 19  # pages answer first, training takes what is left
SESSION_NICENESS = 10  # of its session: where all is busy, a tenth


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0 done or stopped, 1 failed, 2 bad arguments."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["--worker"] and len(arguments) == 2:
        return _worker(Path(arguments[1]))
    return _command(arguments)


def _worker(folder: Path) -> int:
    stand_back()
    try:
        lock = run_folder.hold(folder)
    except (Timeout, run_folder.RunError):
        print(f"{folder} has a worker already, or is gone.", file=sys.stderr)
        return 1
    except OSError as error:
        run_folder.fail(folder, f"The folder of the run cannot be written: {error.strerror}.")
        return 1
    with lock:
        try:
            allowed = policy()
            has_turn = run_folder.wait_for_turn(folder, allowed.at_once)
        except run_folder.RunError as error:
            run_folder.fail(folder, str(error))
            print(error, file=sys.stderr)
            return 1
        if not has_turn:
            run_folder.append(folder, run_folder.State.STOPPED)
            return 0
        from core.mnist import worker

        try:
            for _ in worker.work(folder, allowed.minutes):
                pass
        except worker.FAILURES as error:
            print(error, file=sys.stderr)
            return 1
    return 0


def stand_back() -> None:
    """Take what is left of the processors; Windows has no word for it.

    Linux shares them between sessions first, by a niceness that each session has of its own
    (sched(7), "The autogroup feature"): a worker is one, so its own alone would change nothing.
    """
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(SESSION_NICENESS), encoding="ascii")


def _command(arguments: list[str]) -> int:
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        config = _config(given)
    except ConfigError as error:
        parser.error(str(error))

    from tqdm import tqdm

    from core.mnist import checkpoint, runs, worker
    from core.mnist.events import BatchDone, EpochDone, Finished

    try:
        folder = runs.enter(config, given.preset)
    except run_folder.RunError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Run {folder.name}: {config.architecture}, {config.epochs} epochs, seed {config.seed}")
    bar = tqdm(disable=True)
    try:
        with run_folder.hold(folder):
            if before := run_folder.ahead(folder):
                print(f"Runs ahead in the queue: {before}. Waiting; Ctrl+C gives up.", flush=True)
            if not run_folder.wait_for_turn(folder, policy().at_once):
                run_folder.append(folder, run_folder.State.STOPPED)
                print("Stopped while it waited. The page can resume this run.", file=sys.stderr)
                return 0
            for event in worker.work(folder):
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
                        print(records.EpochRecord.of(event).line(), flush=True)
                    case Finished():
                        if given.save:
                            record = records.load_record(folder / records.RECORD)
                            try:
                                checkpoint.save(given.save, event.model, record)
                            except OSError as error:
                                print(
                                    f"{given.save} cannot be written: {error.strerror}. "
                                    f"The network is in {folder}.",
                                    file=sys.stderr,
                                )
                                return 1
                        print(f"Saved in {given.save or folder}")
    except worker.FAILURES as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        run_folder.append(folder, run_folder.State.STOPPED)
        print("\nStopped. The page can resume this run.", file=sys.stderr)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m core.mnist.train",
        description="Train a network on handwritten digits.",
        epilog="What is not given is as the preset has it.",
    )
    parser.add_argument("--preset", default="best", help=", ".join(PRESETS))
    parser.add_argument("--save", type=Path, help="write model.safetensors and run.json there too")
    short = {"architecture": ["--arch"]}
    for name, one in HYPERPARAMETERS.items():
        parser.add_argument(
            *short.get(name, []),
            f"--{name.replace('_', '-')}",
            dest=name,
            type=one.kind,
            help=f"{one.label}: {one.allowed}",
            metavar=one.kind.__name__.upper(),
        )
    return parser


def _config(given: argparse.Namespace) -> TrainConfig:
    named = vars(given)
    values = {name: named[name] for name in HYPERPARAMETERS if named[name] is not None}
    return preset(given.preset, **values)


if __name__ == "__main__":
    sys.exit(main())
