"""REST: one module a resource, behind one door.

Home Assistant's own HTTP server with its tokens; what the views add is in `view.py`.
"""

from homeassistant.core import HomeAssistant, callback

from .door import Door


@callback
def async_register(hass: HomeAssistant) -> None:
    """Register the door, once."""
    hass.http.register_view(Door())
