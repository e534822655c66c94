"""Device configurations over REST: save, bring in, look up, apply, remove (R-C59)."""

from http import HTTPStatus
from typing import Any

from aiohttp import web
import probatio as vol

from .. import configurations
from ..runs import run_record
from .call import Call
from .operations import Right, operation
from .reading import whole_number
from .view import View, success

_TEXT = vol.Maybe(str)
CONFIGURATION = vol.Schema(
    {
        vol.Required("device_id"): str,
        vol.Required("address"): _TEXT,
        vol.Required("name"): str,
        vol.Required("revision"): int,
        vol.Required("user_id"): _TEXT,
        vol.Required("at"): str,
        vol.Required("configuration"): dict,
    }
)
CONFIGURATIONS = vol.Schema({vol.Required("configurations"): [CONFIGURATION]})
REVISIONS = vol.Schema({vol.Required("revisions"): [CONFIGURATION]})
RUN = vol.Schema(
    {
        vol.Required("id"): int,
        vol.Required("kind"): str,
        vol.Required("name"): str,
        vol.Required("macro_id"): vol.Maybe(int),
        vol.Required("subject"): _TEXT,
        vol.Required("state"): str,
        vol.Required("source"): str,
        vol.Required("user_id"): _TEXT,
        vol.Required("context_id"): _TEXT,
        vol.Required("occurrence_id"): vol.Maybe(int),
        vol.Required("started_at"): str,
        vol.Required("ended_at"): _TEXT,
        vol.Required("error_code"): _TEXT,
        vol.Required("error"): _TEXT,
        vol.Required("definition"): dict,
        vol.Required("steps"): [
            {
                vol.Required("step"): int,
                vol.Required("state"): str,
                vol.Required("started_at"): str,
                vol.Required("ended_at"): _TEXT,
                vol.Required("until"): _TEXT,
                vol.Required("result"): vol.Maybe(dict),
                vol.Required("error_code"): _TEXT,
                vol.Required("error"): _TEXT,
            }
        ],
    }
)
NOT_FOUND = frozenset({HTTPStatus.NOT_FOUND})
APPLYING = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT})
PATH = "/api/aquarist/devices/{address}/configurations"
LIGHT: dict[str, Any] = {
    "format": 1,
    "kind": "chihiros_light",
    "channels": ["red", "green", "blue", "white"],
    "profile": {"mode": "manual", "levels": [40, 30, 60, 20]},
}


class Configurations(View):
    """The configurations of a device."""

    url = PATH

    @operation(
        "The newest revision of each configuration of the device, by name",
        right=Right.READ,
        answers={200: CONFIGURATIONS},
        errors=NOT_FOUND,
    )
    async def get(self, call: Call) -> web.StreamResponse:
        """Answer with the records."""
        device = call.readable_device(call.path["address"], field="address")
        return success(await configurations.kept(call.hass, device))

    @operation(
        "Save what the device does now under a name; or, for administrators, what is "
        "brought in as `configuration`",
        right=Right.CONTROL,
        body=vol.Schema(configurations.SAVING),
        answers={200: CONFIGURATION},
        errors=NOT_FOUND | {HTTPStatus.CONFLICT},
        examples={"save": {"name": "Summer"}, "bring in": {"configuration": LIGHT}},
    )
    async def post(self, call: Call) -> web.StreamResponse:
        """Answer with the new revision."""
        device = await call.controllable_device(call.path["address"], field="address")
        return success(
            await configurations.saved(call.hass, call.context, device, call.body)
        )


class ConfigurationView(View):
    """One configuration of a device."""

    url = f"{PATH}/{{name}}"

    @operation(
        "A revision of a configuration, the newest unless asked otherwise",
        right=Right.READ,
        query=vol.Schema(
            {vol.Optional("revision", default=None): vol.Maybe(whole_number(1))}
        ),
        answers={200: CONFIGURATION},
        errors=NOT_FOUND,
    )
    async def get(self, call: Call) -> web.StreamResponse:
        """Answer with the record; its `configuration` is the export."""
        device = call.readable_device(call.path["address"], field="address")
        name, revision = call.path["name"], call.query["revision"]
        return success(await configurations.one(call.hass, device, name, revision))

    @operation(
        "Remove a configuration with all its revisions",
        right=Right.CONFIGURE,
        answers={200: CONFIGURATION},
        errors=NOT_FOUND,
    )
    async def delete(self, call: Call) -> web.StreamResponse:
        """Answer with the newest revision as it was."""
        device = await call.controllable_device(call.path["address"], field="address")
        return success(
            await configurations.removed(
                call.hass, call.context, device, call.path["name"]
            )
        )


class ConfigurationRevisions(View):
    """What a configuration was."""

    url = f"{PATH}/{{name}}/revisions"

    @operation(
        "Every revision of a configuration, oldest first",
        right=Right.READ,
        answers={200: REVISIONS},
        errors=NOT_FOUND,
    )
    async def get(self, call: Call) -> web.StreamResponse:
        """Answer with the records."""
        device = call.readable_device(call.path["address"], field="address")
        return success(
            await configurations.revisions(call.hass, device, call.path["name"])
        )


class ConfigurationApplication(View):
    """Bringing a device to a configuration."""

    url = f"{PATH}/{{name}}/apply"

    @operation(
        "Write a configuration into the device, in place of what it keeps",
        right=Right.CONTROL,
        body=vol.Schema(configurations.APPLYING),
        answers={200: RUN},
        errors=APPLYING,
        examples={"now": {"confirm": True, "execution": "sync"}},
    )
    async def post(self, call: Call) -> web.StreamResponse:
        """Answer with the run: as it began, or for `sync` as it ended."""
        device = await call.controllable_device(call.path["address"], field="address")
        run, steps = await configurations.applied(
            call.hass,
            call.context,
            device,
            {**call.body, "name": call.path["name"]},
            call.origin,
        )
        return success(run_record(run, steps))
