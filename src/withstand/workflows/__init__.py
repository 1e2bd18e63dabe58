"""The journeys end to end: READ FIRST. Each takes plain values and returns `Results`, or
a `ComparisonMeasurement`.

    scan:    document → API → identities logged in → checks → Results
    trials:  document → requests that succeed → one at a time until decided → Results
    doctor:  the scan as far as its first check → what it has to work with
    check:   trials, then a scan
    load:    document, scenario file, user script or URL → requests → engine → Results
    stress:  the same, rate after rate, until the sustainable one is known
    compare: two versions, started or served → requests to both in turn → what they took

Here things are put together; how each is done stands in the module it calls.
"""

from withstand.workflows.baseline_file import read_baseline_file, write_baseline_file
from withstand.workflows.check import CheckPlan, run_check
from withstand.workflows.doctor import run_doctor
from withstand.workflows.documents import fetch_document, nonce, read_document_file
from withstand.workflows.load import (
    run_document_load,
    run_request_load,
    run_scenario_load,
    run_script_load,
)
from withstand.workflows.load_plan import LoadPlan
from withstand.workflows.occasion import Baseline, Occasion
from withstand.workflows.scan import run_scan
from withstand.workflows.sending import Checkpoint, Onlookers
from withstand.workflows.trials import DEFAULT_BUDGET_S, TrialProgress, run_trials

__all__ = [
    "DEFAULT_BUDGET_S",
    "Baseline",
    "CheckPlan",
    "Checkpoint",
    "LoadPlan",
    "Occasion",
    "Onlookers",
    "TrialProgress",
    "fetch_document",
    "nonce",
    "read_baseline_file",
    "read_document_file",
    "run_check",
    "run_doctor",
    "run_document_load",
    "run_request_load",
    "run_scan",
    "run_scenario_load",
    "run_script_load",
    "run_trials",
    "write_baseline_file",
]
