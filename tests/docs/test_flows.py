"""Every field of every form is explained, and nothing else."""

from typing import Any

import pytest

from ..package_source import english
from .pages import table

# Where a form of the translations is explained.
PLACES = {
    "config.pick_device": ("first-steps", "Pick a device"),
    "config.unknown_device": ("first-steps", "What is it?"),
    "config.light": ("first-steps", "A light"),
    "config.doser": ("first-steps", "A dosing pump"),
    "config.aquarium": ("first-steps", "Set up an aquarium"),
    "config.rename_aquarium": ("options", "An aquarium"),
    "config.change_channels": ("options", "The channels of a light"),
    "config.change_heads": ("options", "The heads of a dosing pump"),
    "options.light": ("options", "Options of a Chihiros light"),
    "options.doser": ("options", "The pump as a whole"),
    "options.head": ("options", "Each head"),
    "options.limits": ("options", "Limits of a head"),
    "options.calibrate_head": ("options", "The head to calibrate"),
    "options.measured": ("options", "Calibration"),
    "options.prime_head": ("options", "The head to fill"),
    "options.prime": ("options", "Filling a hose"),
    "options.aquarium": ("options", "Options of an aquarium"),
    "config_subentries.pump.device": ("own-devices", "Pump"),
    "config_subentries.pump.limits": ("own-devices", "Limits of a pump"),
    "config_subentries.light.device": ("own-devices", "Light"),
    "config_subentries.doser.device": ("own-devices", "Dosing pump"),
    "config_subentries.doser.measured": ("options", "Calibration"),
    "config_subentries.doser.prime": ("options", "Filling a hose"),
    "config_subentries.entity.device": ("own-devices", "Other device"),
    "config_subentries.interlock.device": ("safety", "Interlock"),
    "config_subentries.sensor_guard.device": ("safety", "Watched sensor"),
    "config_subentries.mode.mode": ("modes", "The mode as a whole"),
    "config_subentries.mode.hold": ("modes", "Hold"),
    "config_subentries.mode.hold_value": ("modes", "Held value"),
    "config_subentries.mode.delay": ("modes", "Pause"),
    "config_subentries.mode.wait": ("modes", "Wait"),
    "config_subentries.mode.wait_value": ("modes", "What is waited for"),
    "config_subentries.mode.release": ("modes", "Give back"),
    "config_subentries.mode.move": ("modes", "Move"),
    "config_subentries.mode.take_out": ("modes", "Take out"),
}


def forms() -> dict[str, dict[str, str]]:
    """Return the names of the fields of every form."""
    texts = english()
    flows = {name: texts[name] for name in ("config", "options")} | {
        f"config_subentries.{kind}": flow
        for kind, flow in texts["config_subentries"].items()
    }
    found: dict[str, dict[str, str]] = {}
    for name, flow in flows.items():
        for step, content in flow["step"].items():
            _collect(found, f"{name}.{step}", content)
    return found


def _collect(
    found: dict[str, dict[str, str]], path: str, content: dict[str, Any]
) -> None:
    """Note a form's fields, and those of its sections."""
    if fields := content.get("data"):
        found[path] = fields
    for section, part in content.get("sections", {}).items():
        _collect(found, f"{path}.{section}", part)


def test_every_form_has_its_place() -> None:
    """A new form needs words."""
    assert set(forms()) == set(PLACES)


@pytest.mark.parametrize("form", sorted(PLACES))
def test_every_field_is_explained(form: str) -> None:
    """The table has the fields of the form by their English names, in any order."""
    assert set(table(*PLACES[form])) == set(forms()[form].values())


def test_every_way_to_begin_is_explained() -> None:
    """The first menu is the first table."""
    menu = english()["config"]["step"]["user"]["menu_options"]

    assert set(table("first-steps", "First steps")) == set(menu.values())


def test_every_way_into_the_options_of_a_pump_is_explained() -> None:
    """Its menu is a table, too."""
    menu = english()["options"]["step"]["init"]["menu_options"]

    assert set(table("options", "Options of a Chihiros dosing pump")) == set(
        menu.values()
    )


def test_every_step_of_a_mode_is_explained() -> None:
    """The menu that adds steps is a table, too."""
    menu = english()["config_subentries"]["mode"]["step"]["steps"]["menu_options"]

    assert set(table("modes", "Its steps")) == set(menu.values())


def test_every_repair_issue_is_explained() -> None:
    """Repairs shows nothing that the page does not know."""
    assert set(table("troubleshooting", "Repair issues")) == set(english()["issues"])
