"""The store's place on disk: whether its names still stand for the files that are open."""

from pathlib import Path

from .errors import StoreFailedError


class Place:
    """Remembers which files the store's names stand for.

    SQLite writes on into files that were removed or replaced, which nobody would ever
    read again. The files are looked at only when their folder has changed: to ask a
    file for its times makes the next commit to it slower by a third.
    """

    def __init__(self, path: Path) -> None:
        """Remember the file and its log, which both exist while the store is open."""
        self._path = path
        self._files = (path, path.with_name(f"{path.name}-wal"))
        self._folder = self._folder_state()
        self._identities = self._identities_now()

    def check(self) -> None:
        """Raise StoreFailedError when the store's files are gone or were replaced."""
        try:
            folder = self._folder_state()
            if folder == self._folder:
                return
            in_place = self._identities_now() == self._identities
        except OSError as error:
            raise StoreFailedError(
                f"the store's file is gone: {error}", path=self._path
            ) from error
        if not in_place:
            raise StoreFailedError("the store's file was replaced", path=self._path)
        self._folder = folder

    def _folder_state(self) -> tuple[int, int, int]:
        """Return what changes whenever a file comes to the folder or leaves it."""
        found = self._path.parent.stat()
        return found.st_dev, found.st_ino, found.st_mtime_ns

    def _identities_now(self) -> list[tuple[int, int]]:
        """Return which files the names stand for."""
        return [
            (found.st_dev, found.st_ino)
            for found in (file.stat() for file in self._files)
        ]
