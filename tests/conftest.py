import os
from collections.abc import Iterator

import pytest

# Two processes run side by side (pyproject.toml): more threads in each only wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# A training takes a thread a core all the same. Where the cores are busy, threads that spin while
# they wait for another take several times the work of the training itself.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@pytest.fixture(scope="session", autouse=True)
def _own_runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Neither what a person has trained here nor another process's runs are met."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RUNS_ROOT", str(tmp_path_factory.mktemp("runs")))
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first: begun last, it would keep the other process waiting for minutes."""
    items.sort(key=lambda item: "random" not in item.nodeid)
