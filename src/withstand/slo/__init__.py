"""Objectives (SLOs), their text form, and the verdicts of a measured load on them. Pure."""

from withstand.slo.judgement import judge
from withstand.slo.objective import Indicator, Objective, Unit, format_value
from withstand.slo.soak import DriftVerdict, Quantity, SoakRules, judge_soak
from withstand.slo.text import ACCEPTED_FORMS, parse_objective
from withstand.slo.verdict import Verdict, VerdictState

__all__ = [
    "ACCEPTED_FORMS",
    "DriftVerdict",
    "Indicator",
    "Objective",
    "Quantity",
    "SoakRules",
    "Unit",
    "Verdict",
    "VerdictState",
    "format_value",
    "judge",
    "judge_soak",
    "parse_objective",
]
