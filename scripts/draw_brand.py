"""Draw the brand images: a lit tank with a fish, a plant and bubbles.

.venv/bin/python scripts/draw_brand.py

The drawing is the SVG below; an installed Chromium turns it into the PNG files that Home
Assistant and HACS show.
"""

from pathlib import Path
import shutil

from playwright.sync_api import Browser, sync_playwright

BRAND = (
    Path(__file__).resolve().parent.parent / "custom_components" / "aquarist" / "brand"
)

DEFINITIONS = """
<linearGradient id="water" x1="0" y1="0" x2="0" y2="1">
  <stop offset="0" stop-color="#4fd3e6"/>
  <stop offset="0.55" stop-color="#1a9cc9"/>
  <stop offset="1" stop-color="#0b5f96"/>
</linearGradient>
<linearGradient id="beam" x1="0" y1="0" x2="0" y2="1">
  <stop offset="0" stop-color="#fff6cf" stop-opacity="0.75"/>
  <stop offset="1" stop-color="#fff6cf" stop-opacity="0"/>
</linearGradient>
<linearGradient id="fish" x1="0" y1="0" x2="0" y2="1">
  <stop offset="0" stop-color="#ffc14d"/>
  <stop offset="1" stop-color="#ff7a3d"/>
</linearGradient>
<clipPath id="tank"><rect x="28" y="76" width="456" height="400" rx="64"/></clipPath>
"""

ICON = """
<rect x="120" y="22" width="272" height="34" rx="17" fill="#f2b632"/>
<g clip-path="url(#tank)">
  <rect x="28" y="76" width="456" height="400" fill="#e3f6fb"/>
  <path d="M28 158 C 85 124 142 124 199 158 S 313 192 370 158 S 450 128 484 146
           V 476 H 28 Z" fill="url(#water)"/>
  <path d="M132 56 H 380 L 448 476 H 64 Z" fill="url(#beam)"/>
  <path d="M28 428 C 120 396 190 424 262 418 S 410 396 484 430 V 476 H 28 Z"
        fill="#f0d9a4"/>
  <g fill="none" stroke="#2fae6b" stroke-width="20" stroke-linecap="round">
    <path d="M100 424 C 78 376 124 340 98 282"/>
    <path d="M136 426 C 158 386 122 362 144 318" stroke="#58cb8a"/>
  </g>
  <path d="M214 318 C 250 250 348 246 398 308 C 350 382 254 384 214 318 Z"
        fill="url(#fish)"/>
  <path d="M226 316 C 200 292 178 276 158 274 C 172 302 172 330 158 360
           C 182 356 204 340 226 316 Z" fill="url(#fish)"/>
  <path d="M278 270 C 296 244 328 240 346 258 C 330 264 322 268 312 274 Z"
        fill="#ff9a3d"/>
  <path d="M300 336 C 292 352 276 362 260 360 C 262 346 270 334 282 326 Z"
        fill="#ffd98a"/>
  <circle cx="356" cy="300" r="13" fill="#ffffff"/>
  <circle cx="359" cy="301" r="7" fill="#123a56"/>
  <g fill="#ffffff" fill-opacity="0.8">
    <circle cx="426" cy="268" r="13"/>
    <circle cx="410" cy="222" r="9"/>
    <circle cx="430" cy="190" r="6"/>
  </g>
</g>
<rect x="28" y="76" width="456" height="400" rx="64" fill="none" stroke="#123a56"
      stroke-width="20"/>
"""

NAME = """
<text x="560" y="352" font-family="DejaVu Sans, Verdana, sans-serif" font-weight="700"
      font-size="250" letter-spacing="-6" textLength="1080" lengthAdjust="spacing"
      fill="#1487b5">Aquarist</text>
"""


def svg(width: int, height: int, box: str, content: str) -> str:
    """Return a page with one drawing that fills it."""
    return (
        f'<body style="margin:0"><svg xmlns="http://www.w3.org/2000/svg" '
        f'width="{width}" height="{height}" viewBox="{box}" style="display:block">'
        f"<defs>{DEFINITIONS}</defs>{content}</svg></body>"
    )


def draw(browser: Browser, name: str, size: tuple[int, int], page: str) -> None:
    """Write one PNG with a transparent ground."""
    width, height = size
    view = browser.new_page(viewport={"width": width, "height": height})
    view.set_content(page)
    view.screenshot(path=BRAND / name, omit_background=True)
    view.close()


def main() -> None:
    """Draw all four."""
    BRAND.mkdir(parents=True, exist_ok=True)
    path = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        for factor, suffix in ((1, ""), (2, "@2x")):
            side = 256 * factor
            icon = svg(side, side, "0 0 512 512", ICON)
            draw(browser, f"icon{suffix}.png", (side, side), icon)
            logo = svg(848 * factor, side, "0 0 1696 512", ICON + NAME)
            draw(browser, f"logo{suffix}.png", (848 * factor, side), logo)
        browser.close()


if __name__ == "__main__":
    main()
