"""What all devices share."""

import pytest

from custom_components.aquarist.devices.device import DeviceKind, Observation
from custom_components.aquarist.devices.errors import DeviceError
from custom_components.aquarist.devices.fields import (
    DataType,
    Field,
    InvalidValue,
    composite,
    percent,
)
from custom_components.aquarist.devices.observable import ObservableDevice, only_fields

from .listening import Recorder


def device() -> ObservableDevice:
    """Return a device with a composite, a read-only and a partly read-only field."""
    return ObservableDevice(
        uuid="u",
        kind=DeviceKind.ENTITY,
        name="Tank",
        fields={
            "light": composite("light", percent("level"), percent("mix_red")),
            "water": Field(name="water", data_type=DataType.NUMBER, writable=False),
            "chiller": composite(
                "chiller",
                percent("power"),
                Field(name="fault", data_type=DataType.BOOLEAN, writable=False),
            ),
        },
        aliases={"red": "mix_red"},
    )


def test_listener_hears_until_it_leaves() -> None:
    """Leaving twice does no harm."""
    tank, recorder = device(), Recorder()
    leave = tank.listen(recorder)
    observation = Observation(field="water", setting={"water": 25.0})
    tank._tell_observed(observation)
    tank._tell_availability(False)
    tank._tell_counters({0: 1}, {0: 2})
    leave()
    leave()
    tank._tell_observed(observation)
    tank._tell_availability(True)
    assert recorder.observations == [observation]
    assert recorder.availability == [False]
    assert (recorder.lifetime, recorder.today) == ([{0: 1}], [{0: 2}])


async def test_closed_device_tells_nobody() -> None:
    """Closing forgets the listeners."""
    tank, recorder = device(), Recorder()
    tank.listen(recorder)
    await tank.close()
    tank._tell_availability(False)
    assert recorder.availability == []


def test_part_and_alias_belong_to_their_field() -> None:
    """A write action may name the field, a part, or a channel."""
    tank = device()
    assert tank.field_of("light") == "light"
    assert tank.field_of("mix_red") == "light"
    assert tank.field_of("red") == "light"
    assert tank.check("red", 40) == {"mix_red": 40}
    assert tank.check("level", 40) == {"level": 40}
    assert tank.check("light", {"level": 1, "mix_red": 2}) == {"level": 1, "mix_red": 2}


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ("NOPE", "field_not_found"),
        ("water", "field_not_writable"),
        ("fault", "field_not_writable"),
        ("power", "value_out_of_bounds"),
    ],
)
def test_what_cannot_be_written_is_refused(field: str, code: str) -> None:
    """The error keys are those of R-T24 and R-T27."""
    with pytest.raises(InvalidValue) as refusal:
        device().check(field, 500)
    assert (refusal.value.field, refusal.value.code) == (field, code)


async def test_device_without_actions_knows_none() -> None:
    """Both kinds of actions are refused."""
    with pytest.raises(InvalidValue, match="unknown_action"):
        device().setting_for("turn_on", {}, None)
    with pytest.raises(InvalidValue, match="unknown_action"):
        await device().perform("request_status", {})


def test_field_that_cannot_be_sent_is_a_final_error() -> None:
    """The engine asked a device for something that it has not."""
    only_fields({"light": {"level": 1.0}}, "light", "water")
    with pytest.raises(DeviceError, match="unsupported") as error:
        only_fields({"sound": {"sound": 1.0}}, "light")
    assert not error.value.transient
