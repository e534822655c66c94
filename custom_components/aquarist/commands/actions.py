"""The table of all actions: what each takes, what it is, and which devices have it.

What a device of its own makes narrower, such as the number of its heads or channels, is
left to that device. The sources are R-C42 to R-C47 and RES-46, 63, 70 and 71.
"""

from collections.abc import Mapping
from typing import Any, Final

import probatio as vol

from ..frozen import frozen
from .arguments import checked
from .phases import Kind
from .schemas import (
    AUTO_SETTING,
    BRIGHTNESS,
    CALIBRATION,
    CHANNELS,
    CUSTOM_CURVE,
    DOSE,
    DOSER_SCHEDULE,
    NOTHING,
    ONE_HEAD,
    RAMP,
    RELEASE,
    RUN,
    SCHEDULE,
    TO_LEVEL,
)

# The words are those of the kinds of devices.
CHIHIROS_LIGHTS: Final = frozenset({"chihiros_light"})
CHIHIROS_DOSERS: Final = frozenset({"chihiros_doser"})
CHIHIROS: Final = CHIHIROS_LIGHTS | CHIHIROS_DOSERS
LIGHTS: Final = CHIHIROS_LIGHTS | {"light"}
DOSERS: Final = CHIHIROS_DOSERS | {"doser"}
LEVELS: Final = LIGHTS | {"pump", "entity"}
EVERYTHING: Final = LEVELS | DOSERS


@frozen
class ActionSpec:
    """One action.

    ``families`` are the kinds of devices that have it. What is not ``repeatable`` is never
    sent again after an uncertain end (law 3); what is ``destructive`` needs to be confirmed
    (RES-70); what is ``holdable`` may be held for a time, then gives way (RES-31).
    """

    name: str
    summary: str
    kind: Kind
    families: frozenset[str]
    schema: vol.Schema
    repeatable: bool = True
    destructive: bool = False
    holdable: bool = False

    def checked(self, args: object) -> dict[str, Any]:
        """Return the valid arguments. Raises ArgumentError for the first that is wrong."""
        return checked(self.schema, {} if args is None else args, within="args")


_TABLE: Final = (
    ActionSpec(
        name="turn_on",
        summary="Switch on, at the level that it had last.",
        kind=Kind.SET,
        families=LEVELS,
        schema=NOTHING,
        holdable=True,
    ),
    ActionSpec(
        name="turn_off",
        summary="Switch off; the level and the mix of colours are remembered.",
        kind=Kind.SET,
        families=LEVELS,
        schema=NOTHING,
        holdable=True,
    ),
    ActionSpec(
        name="toggle",
        summary="Switch on what rests at off, and off what does not.",
        kind=Kind.SET,
        families=LEVELS,
        schema=NOTHING,
        repeatable=False,
    ),
    ActionSpec(
        name="set_level",
        summary="Set the level in per cent.",
        kind=Kind.SET,
        families=LEVELS,
        schema=TO_LEVEL,
        holdable=True,
    ),
    ActionSpec(
        name="set_brightness",
        summary="Set one colour channel; its index may be left out where there is one.",
        kind=Kind.SET,
        families=LIGHTS,
        schema=BRIGHTNESS,
        holdable=True,
    ),
    ActionSpec(
        name="set_channels",
        summary="Set all colour channels, in their order.",
        kind=Kind.SET,
        families=LIGHTS,
        schema=CHANNELS,
        holdable=True,
    ),
    ActionSpec(
        name="ramp",
        summary="Move the level in so many seconds, and leave it there.",
        kind=Kind.RAMP,
        families=LEVELS,
        schema=RAMP,
    ),
    ActionSpec(
        name="dose",
        summary="Give so many millilitres with one head, at most once.",
        kind=Kind.DOSE,
        families=DOSERS,
        schema=DOSE,
        repeatable=False,
    ),
    ActionSpec(
        name="prime_head",
        summary="Run a head for so many seconds to fill its hose, at most once.",
        kind=Kind.RAW,
        families=DOSERS,
        schema=RUN,
        repeatable=False,
    ),
    ActionSpec(
        name="calibrate_head",
        summary="Run a head for so many seconds, or tell the pump what it gave then.",
        kind=Kind.RAW,
        families=DOSERS,
        schema=CALIBRATION,
        repeatable=False,
    ),
    ActionSpec(
        name="set_schedule",
        summary="Keep a daily dose in the memory of the pump.",
        kind=Kind.PROGRAMME,
        families=CHIHIROS_DOSERS,
        schema=SCHEDULE,
    ),
    ActionSpec(
        name="set_doser_schedule",
        summary="Keep a programme of one of four modes in the memory of the pump.",
        kind=Kind.PROGRAMME,
        families=CHIHIROS_DOSERS,
        schema=DOSER_SCHEDULE,
    ),
    ActionSpec(
        name="remove_schedule",
        summary="Clear the programme that the pump keeps for a head.",
        kind=Kind.PROGRAMME,
        families=CHIHIROS_DOSERS,
        schema=ONE_HEAD,
        destructive=True,
    ),
    ActionSpec(
        name="reset_head",
        summary="Clear what the pump keeps for a head, its lifetime counter included.",
        kind=Kind.PROGRAMME,
        families=CHIHIROS_DOSERS,
        schema=ONE_HEAD,
        destructive=True,
    ),
    ActionSpec(
        name="enable_auto_mode",
        summary="Let the lamp run the settings that it keeps.",
        kind=Kind.RAW,
        families=CHIHIROS_LIGHTS,
        schema=NOTHING,
    ),
    ActionSpec(
        name="set_manual_mode",
        summary="Leave the settings that the lamp keeps, and show the last levels.",
        kind=Kind.RAW,
        families=CHIHIROS_LIGHTS,
        schema=NOTHING,
    ),
    ActionSpec(
        name="add_auto_setting",
        summary="Add a setting from sunrise to sunset to those that the lamp keeps.",
        kind=Kind.PROGRAMME,
        families=CHIHIROS_LIGHTS,
        schema=AUTO_SETTING,
    ),
    ActionSpec(
        name="set_custom_curve",
        summary="Erase what the lamp keeps, and have it run a day's course by points.",
        kind=Kind.PROGRAMME,
        families=CHIHIROS_LIGHTS,
        schema=CUSTOM_CURVE,
        destructive=True,
    ),
    ActionSpec(
        name="reset_auto_settings",
        summary="Erase all settings that the lamp keeps.",
        kind=Kind.PROGRAMME,
        families=CHIHIROS_LIGHTS,
        schema=NOTHING,
        destructive=True,
    ),
    ActionSpec(
        name="factory_reset",
        summary="Erase everything that the device keeps.",
        kind=Kind.PROGRAMME,
        families=CHIHIROS,
        schema=NOTHING,
        destructive=True,
    ),
    ActionSpec(
        name="request_status",
        summary="Ask the device what it shows and what it says of itself.",
        kind=Kind.RAW,
        families=EVERYTHING,
        schema=NOTHING,
    ),
    ActionSpec(
        name="sync_clock",
        summary="Set the clock of the device.",
        kind=Kind.RAW,
        families=CHIHIROS,
        schema=NOTHING,
    ),
    ActionSpec(
        name="release_for_app",
        summary="Let go of the connection for so many seconds.",
        kind=Kind.RAW,
        families=CHIHIROS,
        schema=RELEASE,
    ),
)

ACTIONS: Final[Mapping[str, ActionSpec]] = {spec.name: spec for spec in _TABLE}
"""Every action by its name."""
