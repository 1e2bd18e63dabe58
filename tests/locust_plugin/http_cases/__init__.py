"""What users of Locust do with `self.client`, case by case."""

# Each of these adds its cases.
from . import addresses, answers, arguments, cookies, encryption, ends, results, sessions  # noqa: F401
from .case import CASES, Case

__all__ = ["CASES", "Case"]
