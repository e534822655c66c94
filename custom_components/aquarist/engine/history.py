"""What commands were: one, a page of them, or all that there are (R-C4, R-C33, R-C53)."""

from collections.abc import AsyncIterator
from typing import Final

from ..commands.command import Command
from ..store import command_history, commands as command_rows
from ..store.command_history import CommandFilter
from ..store.database import Database
from .errors import EngineError
from .state import DeviceState

DEVICE_PAGE: Final = 20
LARGEST_DEVICE_PAGE: Final = 50
LARGEST_PAGE: Final = 100
"""Commands that one answer of the audit may hold; of a device's list it is fewer."""


class History:
    """Asks the store; whatever is found is as it was last written."""

    def __init__(self, database: Database | None) -> None:
        """Know nothing while there is no store."""
        self._database = database

    async def command(self, device: DeviceState, id: str) -> Command | None:
        """Return the command that has an id at a device. Raises EngineError, StoreError."""
        number = device.row.number
        return await self._store.read(
            lambda connection: command_rows.get(connection, number, id)
        )

    async def find(
        self, wanted: CommandFilter, limit: int, before: int | None = None
    ) -> list[Command]:
        """Return the newest commands first; ``before`` is the order of the last one seen.

        Raises EngineError, naming the field, or StoreError.
        """
        if not 1 <= limit <= LARGEST_PAGE:
            raise EngineError(
                "out_of_range", field="limit", minimum=1, maximum=LARGEST_PAGE
            )
        return await self._store.read(
            lambda connection: command_history.find(connection, wanted, limit, before)
        )

    async def recent(
        self, device: DeviceState | None, limit: int, before: int | None = None
    ) -> list[Command]:
        """Return the newest commands first, of one device or of all; raises as `find`."""
        number = device.row.number if device is not None else None
        return await self.find(CommandFilter(device=number), limit, before)

    def export(self, wanted: CommandFilter) -> AsyncIterator[list[Command]]:
        """Give every command in the order of acceptance, page by page. Raises EngineError."""
        return command_history.export(self._store, wanted)

    @property
    def _store(self) -> Database:
        """Return the store. Raises EngineError while there is none."""
        if self._database is None:
            raise EngineError("store_locked")
        return self._database
