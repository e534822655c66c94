"""The macro that the pages of the documentation speak of."""

from homeassistant.core import HomeAssistant

from ..aquarium import device_named, engine_of


async def save_macro(hass: HomeAssistant) -> int:
    """Save the macro `Water change` and return its number."""
    pump = device_named(hass, "Return pump").row.uuid
    command = {"device_id": pump, "action": "turn_off"}
    macro = await engine_of(hass).macros.create(
        {"name": "Water change", "sequence": [{"command": command}]}, user=None
    )
    return macro.row.id
