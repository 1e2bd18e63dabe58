"""Problems with a remedy, as tests see them: one message, without a traceback."""

from collections.abc import Generator
from contextlib import contextmanager

import pytest

from withstand.errors import UsageError, WithstandError


class NotConfiguredError(UsageError):
    """The configuration does not say how to get a token; `hint` has the lines that would."""


@contextmanager
def explained() -> Generator[None]:
    """Turns a problem with a remedy into a skip or a failure of one message, without traceback."""
    try:
        yield
    except NotConfiguredError as error:
        raise pytest.skip.Exception(str(error)) from None
    except WithstandError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
