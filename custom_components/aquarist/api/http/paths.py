"""What is below `/api/aquarist` and is no path of ours."""

from typing import override

from aiohttp import web

from .errors import RequestError
from .view import View, failure


class Unknown(View):
    """Every path that no other view has."""

    url = "/api/aquarist{path:(/.*)?}"

    @override
    def unknown(self, request: web.Request) -> web.Response:
        """Answer any method."""
        return failure(RequestError("path_not_found", path=request.path))
