"""The modes that need no set-up: what they hold, and the stages in which it comes back."""

from custom_components.aquarist.runs import DelayStep
from custom_components.aquarist.runs.mode_definition import mode_json, parse_mode
from custom_components.aquarist.runs.mode_presets import feed, maintenance
from custom_components.aquarist.runs.steps import HoldStep, ReleaseStep


def off(device: str) -> HoldStep:
    """Return the step that holds a pump off."""
    return HoldStep(device_id=device, field_name="level", value=0.0)


def forbidden(field: str) -> HoldStep:
    """Return the step that keeps a head from dosing."""
    return HoldStep(device_id="doser", field_name=field, value=False)


def back(device: str) -> ReleaseStep:
    """Return the step that lets go."""
    return ReleaseStep(device_id=device)


def test_feeding_has_two_stages() -> None:
    """Ten minutes, then the one stage, five minutes later the other."""
    mode = feed(["return"], ["skimmer"])
    assert mode is not None
    assert mode.steps == (
        off("return"),
        off("skimmer"),
        DelayStep(seconds=600, countdown=True),
        back("return"),
        DelayStep(seconds=300),
        back("skimmer"),
    )
    assert (mode.name, mode.latest_end_minutes) == ("feed", 60)


def test_one_stage_needs_no_pause() -> None:
    """Where everything may come back together."""
    for mode in (feed(["one", "two"], []), feed([], ["one", "two"])):
        assert mode is not None
        assert mode.steps == (
            off("one"),
            off("two"),
            DelayStep(seconds=600, countdown=True),
            back("one"),
            back("two"),
        )


def test_without_pumps_there_is_no_feeding() -> None:
    """Nor maintenance without anything that moves."""
    assert feed([], []) is None
    assert maintenance([], [], []) is None


def test_maintenance_keeps_from_dosing_too() -> None:
    """Every head; the doser comes back with the last stage, once."""
    heads = [("doser", "dosing_allowed_0"), ("doser", "dosing_allowed_1")]
    mode = maintenance(["return"], [], heads)
    assert mode is not None
    assert mode.steps == (
        off("return"),
        forbidden("dosing_allowed_0"),
        forbidden("dosing_allowed_1"),
        DelayStep(seconds=1800, countdown=True),
        back("return"),
        DelayStep(seconds=300),
        back("doser"),
    )
    assert (mode.name, mode.latest_end_minutes) == ("maintenance", 240)


def test_they_are_as_valid_as_the_keepers_own() -> None:
    """What a run keeps of them is read back."""
    for mode in (feed(["a"], ["b"]), maintenance(["a"], ["b"], [("c", "d")])):
        assert mode is not None
        assert parse_mode(mode_json(mode)) == mode
