"""WebKit, the engine of Safari, as Debian packages it: WebKitGTK with its own driver, on a screen that nobody sees."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium.webdriver import WebKitGTK
from selenium.webdriver.webkitgtk.options import Options
from selenium.webdriver.webkitgtk.service import Service

DRIVER = shutil.which("WebKitWebDriver")
SCREEN = shutil.which("Xvfb")
# The driver's own guess names another version's folder.
BROWSERS = sorted(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"))
MISSING = (
    "WebKit is not installed, so this test of a second browser engine is left out. "
    "Install it (Debian: apt-get install --no-install-recommends webkit2gtk-driver xvfb), then run the tests again."
)


def is_installed() -> bool:
    return bool(DRIVER and SCREEN and BROWSERS)


@contextmanager
def webkit() -> Iterator[WebKitGTK]:
    """A browser with a profile of its own."""
    with _screen() as display:
        options = Options()
        options.binary_location = str(BROWSERS[0])
        options.add_argument("--automation")
        # Without a sound card GStreamer plays to nobody, and at the pace at which anybody would hear it.
        service = Service(DRIVER, env=os.environ | {"DISPLAY": display, "GDK_BACKEND": "x11"})
        driver = WebKitGTK(options=options, service=service)
        try:
            yield driver
        finally:
            driver.quit()


@contextmanager
def _screen() -> Iterator[str]:
    told, tell = os.pipe()
    command = [str(SCREEN), "-displayfd", str(tell), "-screen", "0", "1280x1024x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[tell], stderr=subprocess.DEVNULL) as screen:  # noqa: S603 -- our own words
        os.close(tell)
        try:
            with os.fdopen(told) as number:
                yield f":{number.readline().strip()}"
        finally:
            screen.terminate()
