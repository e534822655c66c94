"""Frozen classes behave as frozen, slotted dataclasses of keyword fields."""

from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, replace
from typing import Any, ClassVar, override

import pytest

from custom_components.aquarist.frozen import frozen


@frozen
class Dose:
    """Two fields that must be given, and two that may."""

    head: int
    volume: float
    additive: str | None = None
    notes: list[str] = field(default_factory=list)


@frozen
class TimedDose(Dose):
    """One field more."""

    at: str = "noon"


@frozen
class Share:
    """Checks itself."""

    part: float

    def __post_init__(self) -> None:
        """Raise ValueError above the whole."""
        if self.part > 1:
            raise ValueError(self.part)


@frozen
class Nothing:
    """No field at all."""


@frozen
class Named:
    """Methods of its own."""

    name: str
    age: int = 0

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Named) and other.name == self.name

    @override
    def __hash__(self) -> int:
        return hash(self.name)

    @override
    def __repr__(self) -> str:
        return self.name


@frozen
class Measured:
    """What is of the class beside its fields."""

    unit: ClassVar[str] = "mL"
    given: float = field(default=1.5)

    def told(self) -> str:
        """Return words for it."""
        return f"{self.given} {self.unit}"


@frozen
class Noted(Measured):
    """Another default, and more words."""

    given: float = 2.5
    note: str = ""

    @override
    def told(self) -> str:
        return f"{super().told()} {self.note}"


class Labelled(Dose):
    """A plain class made of a frozen one."""


def test_fields_come_by_keyword_and_have_their_defaults() -> None:
    """Each object gets a new one from a factory."""
    dose = Dose(head=1, volume=2.5)

    assert (dose.head, dose.volume, dose.additive, dose.notes) == (1, 2.5, None, [])
    assert dose.notes is not Dose(head=1, volume=2.5).notes
    assert Dose(head=1, volume=2.5, additive="KH", notes=["a"]).notes == ["a"]
    assert [one.name for one in fields(dose)] == ["head", "volume", "additive", "notes"]
    assert asdict(dose) == {"head": 1, "volume": 2.5, "additive": None, "notes": []}
    assert Nothing() == Nothing()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param({"head": 1}, "volume", id="one is missing"),
        pytest.param({"head": 1, "volume": 2, "flow": 3}, "flow", id="one is unknown"),
    ],
)
def test_wrong_fields_are_named(arguments: dict[str, Any], words: str) -> None:
    """As the interpreter names the arguments of any function."""
    with pytest.raises(TypeError, match=rf"Dose\.__init__\(\).*{words}"):
        Dose(**arguments)


def test_what_a_class_checks_itself_is_checked() -> None:
    """With the fields in place."""
    assert Share(part=0.5).part == 0.5
    with pytest.raises(ValueError, match="2"):
        Share(part=2)


def test_positions_are_refused() -> None:
    """Fields are given by name."""
    with pytest.raises(TypeError, match="positional"):
        Dose(1, 2.5)  # type: ignore[call-arg]


@pytest.mark.parametrize("name", ["head", "flow"])
def test_nothing_can_be_set_or_deleted(name: str) -> None:
    """Neither a field nor anything else: there is no room for it."""
    dose = Dose(head=1, volume=2.5)

    with pytest.raises(FrozenInstanceError, match=name):
        setattr(dose, name, 2)
    with pytest.raises(FrozenInstanceError, match=name):
        delattr(dose, name)
    assert dose.head == 1
    assert not hasattr(dose, "__dict__")


def test_equal_are_those_of_one_class_with_equal_fields() -> None:
    """And they have one hash, where their fields have one."""
    dose = Dose(head=1, volume=2.5)

    assert dose == Dose(head=1, volume=2.5)
    assert dose != Dose(head=2, volume=2.5)
    assert dose != TimedDose(head=1, volume=2.5)
    assert Named(name="a") != "a"
    assert Nothing() != object()
    assert hash(Named(name="a")) == hash(Named(name="a", age=3))
    assert hash(Nothing()) == hash(Nothing())
    with pytest.raises(TypeError, match="unhashable"):
        hash(dose)


def test_methods_of_the_class_itself_stay() -> None:
    """Its own equality and its own words."""
    assert Named(name="a", age=1) == Named(name="a", age=2)
    assert repr(Named(name="a")) == "a"


def test_a_copy_with_changes() -> None:
    """The rest stays, and the class."""
    dose = TimedDose(head=1, volume=2.5, at="dawn")

    assert replace(dose, head=2) == TimedDose(head=2, volume=2.5, at="dawn")


def test_it_reads_as_a_dataclass_does() -> None:
    """The words of the standard library's decorator are the oracle."""
    oracle: Any = dataclass(frozen=True, slots=True, kw_only=True)(
        type("Oracle", (), {"__annotations__": {"head": int, "name": str}})
    )
    ours: Any = frozen(
        type("Oracle", (), {"__annotations__": {"head": int, "name": str}})
    )

    assert repr(ours(head=1, name="a")) == repr(oracle(head=1, name="a"))


def test_what_is_of_the_class_is_no_field() -> None:
    """And a field that is named again has the newer default, in its old place."""
    assert [one.name for one in fields(Measured)] == ["given"]
    assert [(one.name, one.default) for one in fields(Noted)] == [
        ("given", 2.5),
        ("note", ""),
    ]
    assert (Measured().given, Noted().given) == (1.5, 2.5)


def test_a_method_finds_that_of_the_base() -> None:
    """By ``super()``, although the class was made anew."""
    assert Noted(note="spilt").told() == "2.5 mL spilt"


def test_a_plain_class_may_be_made_of_it() -> None:
    """Whichever of both has objects first."""
    assert Labelled(head=1, volume=2.5).additive is None
    assert Dose(head=1, volume=2.5) != Labelled(head=1, volume=2.5)
    assert replace(Labelled(head=1, volume=2.5), head=2).head == 2
