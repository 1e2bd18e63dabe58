"""Objectives (SLOs), their text form, and the verdicts of a measured load on them. Pure."""

from withstand.slo.judgement import judge
from withstand.slo.objective import Indicator, Objective, Unit, format_value
from withstand.slo.soak import DriftVerdict, Quantity, SoakRules, judge_soak
from withstand.slo.text import ACCEPTED_FORMS, parse_named_objective, parse_objective
from withstand.slo.verdict import Verdict, VerdictState
from withstand.slo.warm_up import Timing, timing
from withstand.slo.watch import Outlook, Standing, Watch

__all__ = [
    "ACCEPTED_FORMS",
    "DriftVerdict",
    "Indicator",
    "Objective",
    "Outlook",
    "Quantity",
    "SoakRules",
    "Standing",
    "Timing",
    "Unit",
    "Verdict",
    "VerdictState",
    "Watch",
    "format_value",
    "judge",
    "judge_soak",
    "parse_named_objective",
    "parse_objective",
    "timing",
]
