"""The journeys end to end: READ FIRST. Each takes plain values and returns `Results`, or
a `ComparisonMeasurement`.

    scan:    document → API → identities logged in → checks → Results
    load:    document, scenario file, user script or URL → requests → engine → Results
    stress:  the same, rate after rate, until the sustainable one is known
    compare: two versions, started or served → requests to both in turn → what they took

Here things are put together; how each is done stands in the module it calls.
"""

from withstand.workflows.documents import fetch_document, nonce, read_document_file
from withstand.workflows.load import (
    run_document_load,
    run_request_load,
    run_scenario_load,
    run_script_load,
)
from withstand.workflows.load_plan import LoadPlan
from withstand.workflows.occasion import Occasion
from withstand.workflows.scan import run_scan
from withstand.workflows.sending import Checkpoint, Onlookers

__all__ = [
    "Checkpoint",
    "LoadPlan",
    "Occasion",
    "Onlookers",
    "fetch_document",
    "nonce",
    "read_document_file",
    "run_document_load",
    "run_request_load",
    "run_scan",
    "run_scenario_load",
    "run_script_load",
]
