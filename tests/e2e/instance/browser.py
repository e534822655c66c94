"""A real browser that is signed in to an instance and reaches nothing but loopback."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
import os
from pathlib import Path
import re
import shutil
import time

from playwright.async_api import ConsoleMessage, Error, Locator, Page, async_playwright

from .client import Client
from .seed import TIME_ZONE

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
ON_MACOS = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]

NAVIGATE = """path => {
    history.pushState(null, "", path);
    window.dispatchEvent(new CustomEvent("location-changed"));
}"""
# With this the virtual lists of Home Assistant's pages reject their layout.
LIST_GONE = "disconnected"
OTHERS_PICTURE = re.compile(r"/api/brands/integration/(?!aquarist/)")


def installed_browser() -> str | None:
    """Return the path of an installed Chrome or Chromium; None leaves it to Playwright."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    return str(ON_MACOS) if ON_MACOS.exists() else None


class Visit:
    """A page and what its console complained about."""

    def __init__(self, page: Page, address: str) -> None:
        """Listen to the console from the start."""
        self.page = page
        self.address = address
        self.errors: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", self._failed)

    async def open(self, path: str = "/") -> None:
        """Go to a page of Home Assistant, which knows its states then.

        A page that is there already stays and is led elsewhere by its own means: thrown
        away, it would complain about answers that do not come any more.
        """
        if self.page.url.startswith(self.address):
            await self.page.evaluate(NAVIGATE, path)
            return
        await self.page.goto(self.address + path)
        await self.page.wait_for_function(
            "() => { const app = document.querySelector('home-assistant');"
            " return app && app.hass && Object.keys(app.hass.states || {}).length > 0; }",
            timeout=60_000,
        )

    async def shows(
        self, text: str, *, exact: bool = False, timeout_seconds: float = 30
    ) -> None:
        """Wait until a text is to be seen; raises Playwright's TimeoutError."""
        shown = self.page.get_by_text(text, exact=exact).filter(visible=True).first
        await shown.wait_for(timeout=timeout_seconds * 1000)

    def tile(self, name: str) -> Locator:
        """Return the tile with this name on a dashboard."""
        name_alone = self.page.get_by_text(name, exact=True)
        return self.page.locator("hui-tile-card").filter(has=name_alone)

    async def says(self, name: str, state: str, *, timeout_seconds: float = 30) -> None:
        """Wait until a tile shows a state; raises Playwright's TimeoutError."""
        shown = self.tile(name).locator("ha-tile-info").get_by_text(state, exact=True)
        await shown.wait_for(timeout=timeout_seconds * 1000)

    async def press(self, name: str) -> None:
        """Press the icon of a tile: what it stands for is toggled or begins."""
        await self.tile(name).locator("ha-tile-icon").get_by_role("button").click()

    async def screenshot(self, path: Path) -> None:
        """Save what is to be seen."""
        path.parent.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=path)

    def _failed(self, error: Error) -> None:
        """Keep what nobody caught, but for a list that went away while it was laid out."""
        if str(error) != LIST_GONE:
            self.errors.append(str(error))

    def _heard(self, message: ConsoleMessage) -> None:
        """Keep what is an error, but for pictures that Home Assistant has from outside."""
        address = message.location.get("url", "")
        if message.type == "error" and not OTHERS_PICTURE.search(address):
            self.errors.append(f"{message.text} ({address})")


@asynccontextmanager
async def browsing(
    client: Client, *, width: int = 1280, height: int = 900
) -> AsyncIterator[Visit]:
    """Open a page that is signed in as the owner of the client's instance."""
    assert client.tokens is not None
    tokens = {
        "access_token": client.tokens.access_token,
        "refresh_token": client.tokens.refresh_token,
        "token_type": "Bearer",
        "expires_in": client.tokens.expires_in,
        "hassUrl": client.address,
        "clientId": client.client_id,
        "expires": int(time.time() * 1000) + client.tokens.expires_in * 1000,
    }
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=installed_browser(), args=ARGUMENTS, env=dict(os.environ)
        )
        context = await browser.new_context(
            viewport={"width": width, "height": height},
            locale="en-GB",
            timezone_id=TIME_ZONE,
            service_workers="block",
        )
        await context.add_init_script(
            f"localStorage.setItem('hassTokens', {json.dumps(json.dumps(tokens))});"
        )
        try:
            yield Visit(await context.new_page(), client.address)
        finally:
            await browser.close()
