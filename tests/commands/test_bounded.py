"""Bounds of what is stored and told of a record (R-C56)."""

from custom_components.aquarist.commands.bounded import bounded, size


def test_what_fits_stays_as_it_is() -> None:
    """Not even a mark is added."""
    record = {"a": 1, "b": "two"}
    assert bounded(record, limit=size(record)) == record


def test_the_largest_values_go_first() -> None:
    """Its keys stay, and the mark says that something is missing."""
    record = {"large": "x" * 900, "larger": "x" * 1000, "small": "x"}
    short = bounded(record, limit=1000)
    assert short == {
        "large": "x" * 900,
        "larger": None,
        "small": "x",
        "truncated": True,
    }
    assert size(short) <= 1000


def test_many_small_values_go_as_well() -> None:
    """As many as it takes."""
    short = bounded({str(number): "x" * 50 for number in range(100)}, limit=3000)
    assert short["truncated"] is True
    assert size(short) <= 3000


def test_keys_stay_even_where_they_are_too_many() -> None:
    """A record without its keys would be no record."""
    short = bounded({"a" * 100: "x", "b" * 100: "y"}, limit=10)
    assert set(short) == {"a" * 100, "b" * 100, "truncated"}
