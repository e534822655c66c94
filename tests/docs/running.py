"""Running the examples of the documentation in a real Home Assistant."""

import asyncio
from collections.abc import Callable
import json
from typing import Any

from homeassistant.const import MATCH_ALL
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.template import Template, render_complex
from homeassistant.util.yaml import parse_yaml

from custom_components.aquarist.const import DOMAIN

from ..aquarium import PATIENCE


def step(text: str) -> dict[str, Any]:
    """Return an example of an action.

    Scripts hand on plain texts, not the annotated ones of the reader of YAML.
    """
    plain: dict[str, Any] = json.loads(json.dumps(parse_yaml(text)))
    return plain


async def run(hass: HomeAssistant, text: str) -> tuple[str, Any]:
    """Run an example of an action that Home Assistant's own schema of a script takes.

    Returns the name of the action and its answer.
    """
    checked = cv.SCRIPT_SCHEMA([step(text)])[0]
    domain, _, service = _plain(checked["action"]).partition(".")
    assert domain == DOMAIN
    data = render_complex(_ready(hass, checked.get("data", {})))
    answer = await hass.services.async_call(
        domain,
        service,
        data,
        blocking=True,
        return_response="response_variable" in checked,
    )
    return service, answer


async def until(hass: HomeAssistant, condition: Callable[[], bool]) -> None:
    """Wait until something is so, looking at each event of Home Assistant's bus."""
    reached = asyncio.Event()

    @callback
    def look(_: Event[Any] | None) -> None:
        """Look whether it is so."""
        if condition():
            reached.set()

    leave = hass.bus.async_listen(MATCH_ALL, look)
    look(None)
    try:
        async with asyncio.timeout(PATIENCE):
            await reached.wait()
    finally:
        leave()


def same_shape(documented: Any, real: Any, path: str = "answer") -> None:
    """Compare keys, and types where both have a value; of lists the first item is enough."""
    if isinstance(documented, dict):
        assert isinstance(real, dict), path
        assert set(documented) == set(real), path
        for key, value in documented.items():
            same_shape(value, real[key], f"{path}.{key}")
    elif isinstance(documented, list):
        assert isinstance(real, list | tuple), path
        assert bool(documented) == bool(real), path
        for value in documented[:1]:
            same_shape(value, real[0], f"{path}[0]")
    elif documented is not None and real is not None:
        numbers = isinstance(documented, int | float), isinstance(real, int | float)
        assert all(numbers) or isinstance(real, type(documented)), path


def _plain(value: Any) -> str:
    """Return the text of an action's name."""
    return value.template if isinstance(value, Template) else str(value)


def _ready(hass: HomeAssistant, value: Any) -> Any:
    """Give templates the Home Assistant that they are rendered in."""
    if isinstance(value, Template):
        value.hass = hass
    elif isinstance(value, dict):
        for part in value.values():
            _ready(hass, part)
    elif isinstance(value, list):
        for part in value:
            _ready(hass, part)
    return value
