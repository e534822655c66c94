"""The page on which the demo aquarium is looked at."""

from typing import Any

from .client import Client

type Card = dict[str, Any]

PATH = "demo-aquarium"
LIGHT = "light.universal_wrgb_c0de"
HEAD = "dosing_pump_c0d4_head_{number}"
AQUARIUM = "living_room"
HEADS = (1, 2, 3, 4)
FILLED_HEADS = (1, 2, 3)
"""The heads that the plan doses with; they have containers."""
PUMPS = ("switch.return_pump", "switch.skimmer")
MODE = f"select.{AQUARIUM}_mode"
MODE_ENDS = f"sensor.{AQUARIUM}_mode_ends"
IN_A_MODE = [{"condition": "state", "entity": MODE, "state_not": "normal"}]
COUNTING = [{"condition": "state", "entity": MODE_ENDS, "state_not": "unknown"}]
RETURNING = [
    *IN_A_MODE,
    {"condition": "state", "entity": MODE_ENDS, "state": "unknown"},
]
PROBLEM = f"binary_sensor.{AQUARIUM}_problem"
IN_TROUBLE = [{"condition": "state", "entity": PROBLEM, "state": "on"}]
WAVE_PUMP = "number.wave_pump_level"


async def add_dashboard(client: Client) -> None:
    """Make the page the one that Home Assistant opens with; what is there already stays."""
    async with client.websocket() as websocket:
        known = await websocket.command("lovelace/dashboards/list")
        if any(dashboard["url_path"] == PATH for dashboard in known):
            return
        await websocket.command(
            "lovelace/dashboards/create",
            url_path=PATH,
            title="Aquarium",
            icon="mdi:fishbowl-outline",
        )
        await websocket.command(
            "lovelace/config/save", url_path=PATH, config={"views": [_view()]}
        )
        await websocket.command(
            "frontend/set_system_data", key="core", value={"default_panel": PATH}
        )


def _view() -> Card:
    """Return the page's only view."""
    calendar = {
        "type": "calendar",
        "entities": [f"calendar.{AQUARIUM}_plan"],
        "initial_view": "listWeek",
        "grid_options": {"columns": "full", "rows": 7},
    }
    devices = [
        _heading("Light", "mdi:led-strip-variant"),
        _slider(LIGHT, {"type": "light-brightness"}, name="Light", color="amber"),
        _heading("Pumps", "mdi:pump"),
        _tile(f"button.{AQUARIUM}_feed", name="Feed", hide_state=True),
        _tile(MODE, name="Mode", state_content=["state", "stage"]),
        _tile(MODE_ENDS, name="Mode ends", visibility=COUNTING),
        _tile(
            MODE,
            name="Still held",
            icon="mdi:timer-sand-complete",
            state_content=["held"],
            visibility=RETURNING,
        ),
        _tile(
            f"button.{AQUARIUM}_end_mode",
            name="End mode",
            hide_state=True,
            visibility=IN_A_MODE,
        ),
        *[_tile(pump) for pump in PUMPS],
        _slider(WAVE_PUMP, {"type": "numeric-input", "style": "slider"}),
        _heading("Dosing", "mdi:eyedropper"),
        *_heads(),
    ]
    plan = [
        _heading("Plan", "mdi:calendar-clock"),
        _tile(f"sensor.{AQUARIUM}_next_action", name="Next action"),
        _tile(f"switch.{AQUARIUM}_automation", name="Automation"),
        calendar,
        _tile(
            f"event.{AQUARIUM}_occurrence",
            name="Last event",
            state_content=["schedule", "event_type"],
        ),
        _tile(
            f"button.{AQUARIUM}_emergency_stop",
            name="Emergency stop",
            color="red",
            hide_state=True,
        ),
        _tile(
            PROBLEM,
            name="Problem",
            color="red",
            state_content=["reasons"],
            visibility=IN_TROUBLE,
        ),
        _tile(
            f"button.{AQUARIUM}_release_emergency_stop",
            name="Release the stop",
            hide_state=True,
            visibility=IN_TROUBLE,
        ),
        _heading("Containers", "mdi:bottle-tonic-outline"),
        *_containers(),
    ]
    sections = [{"type": "grid", "cards": cards} for cards in (devices, plan)]
    return {"title": "Aquarium", "type": "sections", "sections": sections}


def _heads() -> list[Card]:
    """Return what each head gave, and when it gives again."""
    cards = []
    for number in HEADS:
        head = HEAD.format(number=number)
        cards += [
            _tile(f"sensor.{head}_dosed_in_24_hours", name=f"Head {number}, 24 hours"),
            _tile(
                f"button.{head}_dose_now",
                name=f"Head {number}, dose now",
                hide_state=True,
            ),
        ]
    return cards


def _containers() -> list[Card]:
    """Return what is left for each head that has a container."""
    return [
        _tile(
            f"sensor.{HEAD.format(number=number)}_left_in_the_container",
            name=f"Head {number}, left",
        )
        for number in FILLED_HEADS
    ]


def _heading(title: str, icon: str) -> Card:
    """Return a heading."""
    return {"type": "heading", "heading": title, "icon": icon}


def _tile(entity_id: str, **more: Any) -> Card:
    """Return a tile of an entity."""
    return {"type": "tile", "entity": entity_id, **more}


def _slider(entity_id: str, feature: Card, **more: Any) -> Card:
    """Return a broad tile with a slider in it."""
    return _tile(
        entity_id,
        features=[feature],
        features_position="inline",
        grid_options={"columns": "full"},
        **more,
    )
