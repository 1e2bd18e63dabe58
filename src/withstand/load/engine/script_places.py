"""Which line of a user script something happened at."""

import os
from pathlib import Path
from types import CodeType, FrameType, TracebackType

import withstand

# What runs the loop: calls beyond it are those of whoever started the run.
_LOOP = os.path.join("asyncio", "runners.py")  # noqa: PTH118 - the end of a name, no path
_OURS = str(Path(withstand.__file__).parent) + os.sep


class Places:
    """The lines of a script and of what lies beside it: not those of installed packages."""

    def __init__(self, script: str) -> None:
        self._folder = str(Path(script).resolve().parent) + os.sep

    def in_trace(self, trace: TracebackType | None) -> str | None:
        """The innermost of them in a traceback."""
        place = None
        while trace is not None:
            code = trace.tb_frame.f_code
            if self._owns(code.co_filename):
                place = place_of(code, trace.tb_lineno)
            trace = trace.tb_next
        return place

    def in_stack(self, frame: FrameType | None) -> FrameType | None:
        """The innermost call of the script that a thread's event loop is in."""
        while frame is not None and not frame.f_code.co_filename.endswith(_LOOP):
            if self._owns(frame.f_code.co_filename):
                return frame
            frame = frame.f_back
        return None

    def _owns(self, file: str) -> bool:
        own = file.startswith(self._folder) and not file.startswith(_OURS)
        return own and f"{os.sep}site-packages{os.sep}" not in file


def place_of(code: CodeType, line: int) -> str:
    """How a line is named to people."""
    return f"{Path(code.co_filename).name}, line {line}, {code.co_name}"
