"""What every room of the engine stands on."""

from dataclasses import field

from ..frozen import frozen
from ..store.database import Database
from .agenda import Agenda
from .changes import Announcer
from .clock import Clock
from .journal import Journal
from .live_settings import LiveSettings
from .memory_content import MemoryContent
from .records import Records
from .state import DeviceState


@frozen
class Ground:
    """Time, what is due, the store, the open commands, the devices, and who listens.

    ``settings`` are those of the whole domain, to be asked for each time.
    ``memory`` is what the devices keep in their own memory.

    ``database`` is None while the engine is locked; ``devices`` is by number.
    """

    clock: Clock
    agenda: Agenda
    journal: Journal
    records: Records
    announcer: Announcer
    database: Database | None
    settings: LiveSettings
    devices: dict[int, DeviceState] = field(default_factory=dict)
    memory: MemoryContent = field(default_factory=MemoryContent)
