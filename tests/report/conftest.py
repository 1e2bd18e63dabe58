"""A browser for the reports that people open in one."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, headless, that talks to nobody on its own account.

    For one module, not the session: while it lives, an event loop runs in the main thread.
    """
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    if executable is None:
        sentence = "the report is tested in Chromium: install it with apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=_QUIET)
        yield browser
        browser.close()
