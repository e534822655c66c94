"""What the REST views answer, as schemas."""

from collections.abc import Callable, Mapping

import probatio as vol

from ...schedules.validation import takes
from ..serializers import COMMAND_STATUSES

_TEXT = vol.Maybe(str)
_NUMBER = vol.Maybe(float)
_WHOLE = vol.Maybe(int)
_MAPPING = vol.Maybe(dict)

ERROR = vol.Schema(
    {
        vol.Required("error_key"): str,
        vol.Required("error_message"): str,
        vol.Required("error_details"): dict,
    }
)
COMMAND = vol.Schema(
    {
        vol.Required("id"): str,
        vol.Required("address"): _TEXT,
        vol.Required("device_id"): _TEXT,
        vol.Required("action"): str,
        vol.Required("args"): dict,
        vol.Required("timeout"): float,
        vol.Required("status"): vol.In(COMMAND_STATUSES),
        vol.Required("attempts"): int,
        vol.Required("created_at"): float,
        vol.Required("started_at"): _NUMBER,
        vol.Required("completed_at"): _NUMBER,
        vol.Required("result"): _MAPPING,
        vol.Required("error"): _TEXT,
        vol.Required("error_code"): _TEXT,
        vol.Required("error_details"): _MAPPING,
        vol.Required("scheduled_at"): _NUMBER,
        vol.Required("source"): str,
        vol.Required("user"): _TEXT,
        vol.Required("context"): _TEXT,
        vol.Required("run"): _WHOLE,
        vol.Required("step"): _WHOLE,
        vol.Required("retry_of"): _TEXT,
        vol.Required("order"): int,
    }
)
COMPONENTS: Mapping[str, vol.Schema] = {"Command": COMMAND, "Error": ERROR}
"""The records that the OpenAPI document has by name."""


def _named(name: str) -> Callable[[object], object]:
    """Return a record as a part of an answer."""

    @takes(**{"$ref": f"#/components/schemas/{name}"})
    def validate(value: object) -> object:
        """Validate one record."""
        return COMPONENTS[name](value)

    return validate


COMMANDS = vol.Schema(
    {vol.Required("commands"): [_named("Command")], vol.Required("next_before"): _WHOLE}
)
RESULTS = vol.Schema(
    {
        vol.Required("results"): [
            {
                vol.Required("status"): int,
                vol.Optional("command"): _named("Command"),
                vol.Optional("error"): _named("Error"),
            }
        ]
    }
)
EXPORTED = vol.Schema([_named("Command")])
DOSE = vol.Schema(
    {
        vol.Required("command_id"): _TEXT,
        vol.Required("device_id"): _TEXT,
        vol.Required("address"): _TEXT,
        vol.Required("head_index"): int,
        vol.Required("volume_ml"): float,
        vol.Required("given_ml"): _NUMBER,
        vol.Required("state"): str,
        vol.Required("additive"): _TEXT,
        vol.Required("source"): str,
        vol.Required("at"): str,
    }
)
DOSES = vol.Schema({vol.Required("doses"): [DOSE], vol.Required("next_before"): _TEXT})
