"""Each service is registered with the answer that its file gives."""

from importlib import import_module
from pathlib import Path

import pytest

from custom_components.aquarist import services

FILES = sorted(
    file.stem
    for file in Path(services.__file__).parent.glob("*.py")
    if file.stem not in ("__init__", "calls")
)


@pytest.mark.parametrize("file", FILES)
def test_what_is_registered_is_there(file: str) -> None:
    """A file has the services that it is asked for, and no other."""
    module = import_module(f"{services.__name__}.{file}")

    assert list(module.SERVICES) == list(services.FILES[file])
    assert sorted(services.FILES) == FILES
