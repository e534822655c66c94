"""The pump: doses, counters, calibration, temporary runs, reports."""

import pytest

from custom_components.aquarist.simulator.clock import ManualClock
from custom_components.aquarist.simulator.doser import DoserModel, LifetimeEnd

from .central import ADDRESS, Central, captured, host_frame, volumes

LIFETIME, TODAY, SNAPSHOT = 0x1E, 0x22, 0xFE
OMITTED = 255


@pytest.fixture
def central(doser: DoserModel) -> Central:
    """Return a central at a pump whose clock shows Wednesday, 08:00:00."""
    central = Central(doser)
    central.set_clock(3, 8, 0)
    return central


def dose(central: Central, head: int, tenths: int, kind: int = 0) -> None:
    """Dose now (kind 0) or make up (kind 2)."""
    central.send(0xA5, 0x1B, head, 0, kind, *tenths.to_bytes(2))


def ask(central: Central, clock: ManualClock, mode: int) -> list[int]:
    """Ask for lifetime or today and return the tenths."""
    central.send(0xA5, 0x04, 4 if mode == LIFETIME else 5)
    clock.advance(0.05)
    return volumes(central.of_mode(mode)[-1])


def run_for(central: Central, minutes: int, seconds: int, *switches: int) -> None:
    """Run or stop heads for a while."""
    central.send(0xA5, 0x14, minutes, seconds, *switches, *[255] * (8 - len(switches)))


# Doses


@pytest.mark.parametrize("kind", [0, 2])
def test_a_dose_takes_a_second_a_millilitre_and_is_reported_when_it_ends(
    central: Central, doser: DoserModel, clock: ManualClock, kind: int
) -> None:
    """Now or as a make-up: `22` is pushed with today's total of all heads."""
    dose(central, 2, 25, kind)
    clock.advance(2.4)
    assert central.of_mode(TODAY) == []
    assert doser.delivered == (0, 0, 2400, 0)
    clock.advance(0.1)
    assert [volumes(data) for data in central.of_mode(TODAY)] == [[0, 0, 25, 0]]
    clock.advance(60)
    assert doser.delivered == (0, 0, 2500, 0)
    assert len(central.of_mode(TODAY)) == 1
    assert doser.ignored == []


def test_lifetime_and_today_grow_by_the_same(clock: ManualClock) -> None:
    """The captured 59.5 mL dose: 9.5 becomes 69.0, 0.5 becomes 60.0 (section 4.3)."""
    lifetime = (9000, 1_010_800, 215_400, 181_000)
    doser = DoserModel(clock, address=ADDRESS, lifetime=lifetime)
    central = Central(doser)
    dose(central, 0, 5)
    clock.advance(1)
    central.send(0xA5, 0x04, 4)
    clock.advance(1)
    assert central.of_mode(LIFETIME) == [captured("c284")]
    dose(central, 0, 595, kind=2)
    clock.advance(59.4)
    assert len(central.of_mode(TODAY)) == 1
    clock.advance(0.2)
    assert volumes(central.of_mode(TODAY)[-1]) == [600, 0, 0, 0]
    central.send(0xA5, 0x04, 4)
    clock.advance(1)
    assert central.of_mode(LIFETIME)[-1] == captured("c287")
    assert doser.delivered == (60_000, 0, 0, 0)


def test_the_volume_is_sixteen_bits(
    central: Central, doser: DoserModel, clock: ManualClock
) -> None:
    """The captured frames of 25.5 and 25.6 mL, and one of 9.0 mL (byte 5A)."""
    for identity, expected in (("c130", 25_500), ("c131", 51_100)):
        central.link.write(captured(identity), response=True)
        clock.advance(60)
        assert doser.delivered[2] == expected
    central.link.write(captured("c141"), response=True)
    clock.advance(60)
    assert doser.delivered[0] == 9000


def test_heads_dose_side_by_side(
    central: Central, doser: DoserModel, clock: ManualClock
) -> None:
    """Each reports its own end."""
    dose(central, 0, 30)
    clock.advance(1)
    dose(central, 3, 10)
    clock.advance(1)
    assert volumes(central.of_mode(TODAY)[-1]) == [20, 0, 0, 10]
    clock.advance(1)
    assert volumes(central.of_mode(TODAY)[-1]) == [30, 0, 0, 10]
    assert doser.delivered == (3000, 0, 0, 1000)


def test_a_dose_to_a_busy_head_adds_to_it(
    central: Central, doser: DoserModel, clock: ManualClock
) -> None:
    """One report at the end of both."""
    dose(central, 1, 30)
    clock.advance(2)
    dose(central, 1, 20)
    clock.advance(2.9)
    assert central.of_mode(TODAY) == []
    clock.advance(0.2)
    assert [volumes(data) for data in central.of_mode(TODAY)] == [[0, 50, 0, 0]]
    assert doser.delivered == (0, 5000, 0, 0)


def test_the_flow_can_be_another(clock: ManualClock) -> None:
    """At half a millilitre a second it takes twice as long."""
    doser = DoserModel(clock, address=ADDRESS, flow=500)
    central = Central(doser)
    dose(central, 0, 10)
    clock.advance(1)
    assert doser.delivered[0] == 500
    clock.advance(1)
    assert doser.delivered[0] == 1000
    assert volumes(central.of_mode(TODAY)[0]) == [10, 0, 0, 0]


@pytest.mark.parametrize(
    "parameters",
    [
        (4, 0, 0, 0, 10),
        (0, 0, 0, 0, 0),
        (0, 0, 1, 0, 10),
        (0, 1, 0, 0, 10),
        (0, 0, 0, 10),
    ],
)
def test_what_is_no_dose_pumps_nothing(
    central: Central, doser: DoserModel, clock: ManualClock, parameters: tuple[int, ...]
) -> None:
    """No such head, no volume, unknown kind, wrong length."""
    central.send(0xA5, 0x1B, *parameters)
    clock.advance(60)
    assert doser.delivered == (0, 0, 0, 0)
    assert len(doser.ignored) == 1


def test_it_goes_on_without_a_central_and_reports_to_the_next(
    central: Central, doser: DoserModel, clock: ManualClock
) -> None:
    """Only one that is connected and subscribed at the end hears of it."""
    dose(central, 0, 20)
    dose(central, 1, 60)
    central.link.disconnect()
    clock.advance(3)
    following = Central(doser)
    clock.advance(60)
    assert central.of_mode(TODAY) == []
    assert [volumes(data) for data in following.of_mode(TODAY)] == [[20, 60, 0, 0]]
    assert doser.delivered == (2000, 6000, 0, 0)


@pytest.mark.parametrize(("share", "dropped_at"), [(0, 0.0), (0.25, 2.0), (1, 8.0)])
def test_the_link_can_drop_in_the_middle_of_a_dose(
    central: Central,
    doser: DoserModel,
    clock: ManualClock,
    share: float,
    dropped_at: float,
) -> None:
    """The pump goes on to the end."""
    doser.faults.set("drop_in_dose", value=share)
    dose(central, 0, 80)
    if dropped_at:
        clock.advance(dropped_at - 0.01)
        assert central.dropped == []
    clock.advance(0.02)
    assert central.dropped == ["link_lost"]
    clock.advance(60)
    assert doser.delivered[0] == 8000
    following = Central(doser)
    assert ask(following, clock, TODAY) == [80, 0, 0, 0]


def test_the_report_of_a_dose_can_be_lost(
    central: Central, doser: DoserModel, clock: ManualClock
) -> None:
    """Asking later tells all the same."""
    doser.faults.set("lose_notification", value=TODAY)
    dose(central, 0, 20)
    clock.advance(60)
    assert central.of_mode(TODAY) == []
    assert ask(central, clock, TODAY) == [20, 0, 0, 0]


# Counters


def test_counters_run_along_with_a_dose(central: Central, clock: ManualClock) -> None:
    """Asked in the middle they show the part, to the nearest tenth."""
    dose(central, 0, 80)
    clock.advance(2.93)
    assert ask(central, clock, TODAY) == [30, 0, 0, 0]
    assert ask(central, clock, LIFETIME) == [30, 0, 0, 0]


def test_counters_can_rise_only_when_a_dose_ends(clock: ManualClock) -> None:
    """Nobody knows how real pumps do it; the truth runs along anyway."""
    doser = DoserModel(clock, address=ADDRESS, live_counters=False)
    central = Central(doser)
    dose(central, 0, 80)
    clock.advance(4)
    assert ask(central, clock, LIFETIME) == [0, 0, 0, 0]
    assert doser.delivered[0] == 4050
    clock.advance(4)
    assert ask(central, clock, LIFETIME) == [80, 0, 0, 0]


@pytest.mark.parametrize(
    ("end", "shown"), [(LifetimeEnd.STICK, [65_535, 0]), (LifetimeEnd.WRAP, [4, 0])]
)
def test_the_lifetime_counter_ends(
    clock: ManualClock, end: LifetimeEnd, shown: list[int]
) -> None:
    """At 6553.5 mL it sticks or wraps: unknown which (section 4.1)."""
    doser = DoserModel(
        clock, address=ADDRESS, heads=2, lifetime=(6_553_000,), lifetime_end=end
    )
    central = Central(doser)
    dose(central, 0, 10)
    clock.advance(2)
    assert ask(central, clock, LIFETIME)[:2] == shown


def test_todays_counter_ends_too(clock: ManualClock) -> None:
    """It sticks."""
    doser = DoserModel(clock, address=ADDRESS, flow=10_000)
    central = Central(doser)
    for _ in range(2):
        dose(central, 0, 60_000)
        clock.advance(700)
    assert ask(central, clock, TODAY) == [65_535, 0, 0, 0]
    assert doser.delivered[0] == 12_000_000


def test_a_lifetime_counter_can_be_zeroed(
    central: Central, doser: DoserModel, clock: ManualClock
) -> None:
    """As the app does when a container is refilled: today stays."""
    for head in (1, 2):
        dose(central, head, 20)
    clock.advance(5)
    central.link.write(captured("c187"), response=True)
    assert ask(central, clock, LIFETIME) == [0, 20, 0, 0]
    assert ask(central, clock, TODAY) == [0, 20, 20, 0]
    assert doser.delivered == (0, 2000, 2000, 0)


@pytest.mark.parametrize(
    "parameters", [(20, 255, 255), (29, 255, 255), (21, 255, 0), (21,)]
)
def test_other_resets_are_not_understood(
    central: Central, doser: DoserModel, parameters: tuple[int, ...]
) -> None:
    """Neither a head's programme nor its counter."""
    central.send(0xA5, 0x05, *parameters)
    assert len(doser.ignored) == 1


def test_today_starts_over_at_midnight_of_its_own_clock(
    central: Central, clock: ManualClock
) -> None:
    """Lifetime goes on; a dose over midnight counts on the day its parts came out."""
    dose(central, 0, 20)
    clock.advance(3)
    central.set_clock(3, 23, 59, 57)
    dose(central, 0, 50)
    clock.advance(3)
    assert ask(central, clock, TODAY)[0] in (0, 1)
    clock.advance(10)
    assert volumes(central.of_mode(TODAY)[-1]) == [20, 0, 0, 0]
    assert ask(central, clock, LIFETIME) == [70, 0, 0, 0]


def test_a_clock_set_to_a_later_day_starts_today_over(
    central: Central, clock: ManualClock
) -> None:
    """One set back over midnight does not, and neither does the midnight that comes again."""
    central.set_clock(3, 23, 55)
    dose(central, 0, 20)
    clock.advance(3)
    central.set_clock(4, 0, 5)
    assert ask(central, clock, TODAY) == [0, 0, 0, 0]
    dose(central, 0, 30)
    clock.advance(3)
    central.set_clock(3, 23, 55)
    clock.advance(600)
    assert ask(central, clock, TODAY) == [30, 0, 0, 0]
    clock.advance(86_400)
    assert ask(central, clock, TODAY) == [0, 0, 0, 0]


@pytest.mark.parametrize("weekday", range(1, 8))
def test_the_first_time_frame_does_not_start_today_over(
    clock: ManualClock, weekday: int
) -> None:
    """Until then the pump knows no day; from then on it does."""
    central = Central(DoserModel(clock, address=ADDRESS))
    dose(central, 0, 20)
    clock.advance(3)
    central.set_clock(weekday, 12, 0)
    assert ask(central, clock, TODAY) == [20, 0, 0, 0]
    clock.advance(86_400)
    assert ask(central, clock, TODAY) == [0, 0, 0, 0]


# Temporary run and stop


def test_a_stop_keeps_what_came_out_and_reports_it(
    central: Central, doser: DoserModel, clock: ManualClock
) -> None:
    """The rest of the dose never comes; other heads go on."""
    dose(central, 0, 80)
    dose(central, 1, 80)
    clock.advance(3)
    run_for(central, 255, 255, 0, 255, 0)
    assert [volumes(data) for data in central.of_mode(TODAY)] == [[30, 30, 0, 0]]
    clock.advance(60)
    assert doser.delivered == (3000, 8000, 0, 0)
    assert [volumes(data) for data in central.of_mode(TODAY)[1:]] == [[30, 80, 0, 0]]


def test_a_temporary_run_ends_by_itself(
    central: Central, doser: DoserModel, clock: ManualClock
) -> None:
    """After minutes and seconds; what it pumps counts."""
    run_for(central, 1, 5, 255, 1)
    clock.advance(64)
    assert central.of_mode(TODAY) == []
    clock.advance(1)
    assert volumes(central.of_mode(TODAY)[0]) == [0, 650, 0, 0]
    clock.advance(60)
    assert doser.delivered == (0, 65_000, 0, 0)


def test_an_unlimited_run_ends_with_a_stop(
    central: Central, doser: DoserModel, clock: ManualClock
) -> None:
    """Also when it began as a dose; a further dose changes nothing then."""
    dose(central, 0, 10)
    run_for(central, 255, 255, 1, 1)
    dose(central, 0, 10)
    clock.advance(500)
    assert central.of_mode(TODAY) == []
    run_for(central, 255, 255, 0, 0)
    clock.advance(60)
    assert doser.delivered == (500_000, 500_000, 0, 0)
    assert volumes(central.of_mode(TODAY)[-1]) == [5000, 5000, 0, 0]


def test_a_run_of_no_seconds_is_none(
    central: Central, doser: DoserModel, clock: ManualClock
) -> None:
    """And stopping an idle head reports nothing."""
    run_for(central, 0, 0, 1, 0, 0, 0, 1, 1)
    clock.advance(60)
    assert doser.delivered == (0, 0, 0, 0)
    assert central.of_mode(TODAY) == []
    assert doser.ignored == []


@pytest.mark.parametrize(
    "parameters",
    [
        (255, 10, 1, *[255] * 7),
        (1, 60, 1, *[255] * 7),
        (1, 255, 1, *[255] * 7),
        (1, 10, 2, *[255] * 7),
        (1, 10, 1, *[255] * 6),
        (1, 10, 1, *[255] * 8),
    ],
)
def test_a_malformed_run_does_nothing(
    central: Central, doser: DoserModel, clock: ManualClock, parameters: tuple[int, ...]
) -> None:
    """Half a duration, a 60th second, an unknown switch, wrong length."""
    central.send(0xA5, 0x14, *parameters)
    clock.advance(5)
    assert doser.delivered == (0, 0, 0, 0)
    assert len(doser.ignored) == 1


# Calibration


def test_calibration_runs_and_then_believes_what_was_measured(
    clock: ManualClock,
) -> None:
    """A head that pumps 0.8 mL a second doses right after it was told so."""
    doser = DoserModel(clock, address=ADDRESS)
    doser.heads[0].flow = 800
    central = Central(doser)
    dose(central, 0, 100)
    clock.advance(20)
    assert doser.delivered[0] == 8000
    central.send(0xA5, 0x16, 0, 5, OMITTED, OMITTED)
    clock.advance(20)
    assert doser.delivered[0] == 12_000
    central.send(0xA5, 0x16, 0, OMITTED, 4, 0)
    dose(central, 0, 100)
    clock.advance(20)
    assert doser.delivered[0] == 22_000
    assert ask(central, clock, TODAY) == [250, 0, 0, 0]
    assert doser.ignored == []


def test_a_measurement_with_its_seconds_is_only_stored(
    central: Central, doser: DoserModel, clock: ManualClock
) -> None:
    """10 s and 8.00 mL, as captured; hundredths may be 100."""
    central.link.write(captured("c177"), response=True)
    clock.advance(20)
    assert doser.delivered[0] == 0
    assert doser.heads[0].believed_flow == 800
    central.send(0xA5, 0x16, 0, 10, 8, 100)
    assert doser.heads[0].believed_flow == 900


@pytest.mark.parametrize(
    "parameters",
    [
        (4, 5, OMITTED, OMITTED),
        (0, OMITTED, OMITTED, OMITTED),
        (0, 0, OMITTED, OMITTED),
        (0, OMITTED, 4, 0),
        (0, 5, 0, 0),
        (0, 5, 4, OMITTED),
        (0, 5, OMITTED, 0),
        (0, 5, 4, 101),
    ],
)
def test_a_calibration_without_sense_changes_nothing(
    central: Central, doser: DoserModel, clock: ManualClock, parameters: tuple[int, ...]
) -> None:
    """No such head, no seconds, no run before, no volume, half a volume, hundredths above 100."""
    central.send(0xA5, 0x16, *parameters)
    clock.advance(20)
    assert doser.delivered == (0, 0, 0, 0)
    assert doser.heads[0].believed_flow == 1000
    assert len(doser.ignored) == 1


# Power


@pytest.mark.parametrize(("live", "lifetime"), [(True, 50), (False, 20)])
def test_a_power_cut_ends_a_dose_for_good(
    clock: ManualClock, *, live: bool, lifetime: int
) -> None:
    """What came out is the truth; it is counted only where the counters run along."""
    doser = DoserModel(clock, address=ADDRESS, live_counters=live)
    central = Central(doser)
    dose(central, 0, 20)
    clock.advance(5)
    dose(central, 0, 80)
    clock.advance(3)
    doser.power_cut()
    clock.advance(60)
    doser.power_on()
    clock.advance(60)
    central.connect()
    assert doser.delivered[0] == 5000
    assert ask(central, clock, LIFETIME)[0] == lifetime
    assert ask(central, clock, TODAY)[0] == 0
    assert len(central.of_mode(TODAY)) == 2


# Sizes


@pytest.mark.parametrize("heads", [2, 4, 8])
def test_a_pump_has_two_four_or_eight_heads(clock: ManualClock, heads: int) -> None:
    """The reports have room for at least four; more than four is a guess."""
    doser = DoserModel(clock, address=ADDRESS, heads=heads)
    central = Central(doser)
    for head in range(9):
        dose(central, head, 10)
    clock.advance(5)
    assert doser.delivered == (1000,) * heads
    assert len(doser.ignored) == 9 - heads
    assert ask(central, clock, TODAY) == [10] * heads + [0] * (4 - heads)
    central.send(0x5A, 0x04, 1)
    clock.advance(1)
    assert len(central.of_mode(SNAPSHOT)[0]) == 50


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"heads": 3}, "heads"),
        ({"flow": 0}, "flow"),
        ({"lifetime": (1,) * 5}, "lifetime"),
    ],
)
def test_a_pump_that_cannot_be_is_refused(
    clock: ManualClock, arguments: dict[str, object], field: str
) -> None:
    """The error names the argument."""
    with pytest.raises(ValueError, match=field):
        DoserModel(clock, address=ADDRESS, **arguments)  # type: ignore[arg-type]


def test_heads_can_be_staggered(central: Central, doser: DoserModel) -> None:
    """The wish is stored and shown, nothing more."""
    assert doser.state()["staggered"] is False
    central.link.write(captured("c189"), response=True)
    assert doser.state()["staggered"] is True
    central.send(0xA5, 0x1F, 2)
    assert doser.ignored == [host_frame(0xA5, 0x1F, 2)]


# The captured reports


@pytest.mark.parametrize(
    ("identity", "totals"),
    [
        ("c273", (30_295, 10_030, 25_220, 21_635)),
        ("c275", (30_400, 10_130, 25_310, 21_755)),
        ("c277", (30_400, 10_135, 25_342, 21_755)),
        ("c282", (5525, 10_108, 4066, 3055)),
    ],
)
def test_the_lifetime_report_is_as_captured(
    clock: ManualClock, identity: str, totals: tuple[int, ...]
) -> None:
    """Byte for byte, trailer included."""
    doser = DoserModel(
        clock, address=ADDRESS, lifetime=[100 * total for total in totals]
    )
    central = Central(doser)
    central.link.write(captured("c121"), response=True)
    clock.advance(1)
    assert central.notifications == [captured(identity)]


@pytest.mark.parametrize(
    ("identity", "totals"),
    [
        ("c276", (55, 50, 88, 60)),
        ("c278", (55, 50, 120, 60)),
        ("c283", (0, 0, 31, 0)),
        ("c285", (5, 2052, 339, 195)),
        ("c290", (600, 2052, 355, 225)),
    ],
)
def test_the_report_of_today_is_as_captured(
    central: Central, clock: ManualClock, identity: str, totals: tuple[int, ...]
) -> None:
    """Byte for byte, trailer included."""
    for head, total in enumerate(totals):
        if total:
            dose(central, head, total)
    clock.advance(1000)
    central.link.write(captured("c122"), response=True)
    clock.advance(1)
    assert central.notifications[-1] == captured(identity)


def test_a_head_without_a_run_has_no_end(doser: DoserModel) -> None:
    """The model's own view, as the state shows it."""
    heads = doser.state()["heads"]
    assert isinstance(heads, list)
    assert heads[0] == {
        "delivered": 0,
        "today": 0,
        "lifetime": 0,
        "running": False,
        "flow": 1000,
        "believed_flow": 1000,
        "programme": {
            "mode": "disabled",
            "active": False,
            "catch_up": False,
            "mask": 0,
            "target": 0,
            "doses": [],
        },
    }
