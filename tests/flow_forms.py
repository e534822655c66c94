"""Entries as flows make them, and what a form shows."""

from typing import Any

from homeassistant.config_entries import ConfigFlowResult, SubentryFlowResult
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aquarist.const import DOMAIN

ADDRESS = "E4:3A:D5:3A:D8:02"

HAND_FIELDS = ["hand", "hand_minutes", "respect_manual_change"]
USUAL_HAND = {
    "hand": "until_next_event",
    "hand_minutes": None,
    "respect_manual_change": False,
}
REST_FIELDS = ["start_level", "shutdown_level"]
NO_REST = dict.fromkeys(REST_FIELDS)

type Result = ConfigFlowResult | SubentryFlowResult


def aquarium(name: str = "Reef", *, demo: bool = False) -> MockConfigEntry:
    """Return the entry of an aquarium."""
    return MockConfigEntry(
        domain=DOMAIN,
        title=name,
        unique_id=name.lower().replace(" ", "_"),
        data={"kind": "aquarium", "demo": demo},
    )


def light_entry(**changes: Any) -> MockConfigEntry:
    """Return the entry of a light."""
    return MockConfigEntry(
        **{
            "domain": DOMAIN,
            "title": "WRGB II Pro D802",
            "unique_id": ADDRESS,
            "data": {
                "kind": "chihiros",
                "address": ADDRESS,
                "local_name": "DYWPRO60E43AD53AD802",
                "family": "light",
                "channels": ["red", "green", "blue", "white"],
            },
            "options": {
                "aquarium": None,
                "idle_hold": 30,
                "maximum_level": None,
                "slew": None,
            },
            **changes,
        }
    )


def heads(*names: str) -> list[dict[str, Any]]:
    """Return the options of heads with these names."""
    return [{"name": name, "enabled": True, "budget_ml": 100.0} for name in names]


def doser_entry() -> MockConfigEntry:
    """Return the entry of a dosing pump with two heads."""
    return MockConfigEntry(
        domain=DOMAIN,
        title="Dosing Pump D802",
        unique_id=ADDRESS,
        data={
            "kind": "chihiros",
            "address": ADDRESS,
            "local_name": "DYDOSEE43AD53AD802",
            "family": "doser",
            "heads": 2,
        },
        options={"aquarium": None, "idle_hold": 30, "heads": heads("Iron", "Head 2")},
    )


def fields(result: Result) -> list[str]:
    """Return the names of a form's fields."""
    schema = result["data_schema"]
    assert schema is not None
    return [str(key) for key in schema.schema]


def suggested(result: Result) -> dict[str, Any]:
    """Return what a form suggests or fills in, by field."""
    schema = result["data_schema"]
    assert schema is not None
    return {
        str(key): key.description["suggested_value"]
        for key in schema.schema
        if (key.description or {}).get("suggested_value") is not None
    }


def filled_in(result: Result, field: str) -> Any:
    """Return what a field that must be answered begins with."""
    schema = result["data_schema"]
    assert schema is not None
    return next(key for key in schema.schema if key == field).default()


def choices(result: Result, field: str) -> list[Any]:
    """Return the options of a field."""
    schema = result["data_schema"]
    assert schema is not None
    return list(schema.schema[field].config["options"])
