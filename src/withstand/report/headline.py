"""What a whole run came to, in one sentence. Pure."""

from withstand.results import Conclusion, Results
from withstand.scan.records.record import Coverage, CoverageState
from withstand.sharding.suite import Outcome, SuiteRecord
from withstand.slo import DriftVerdict
from withstand.slo.capacity_text import capacity_clauses
from withstand.stats.drift import Movement


def headline(results: Results) -> str:
    """The verdict in one sentence."""
    match results.conclusion():
        case Conclusion.FAILED:
            return _joined_clauses(_failures(results))
        case Conclusion.VOID:
            return _joined_clauses(_voids(results))
        case Conclusion.UNDECIDED:
            return _joined_clauses(_doubts(results))
        case Conclusion.HELD:
            return _joined_clauses(_successes(results))
        case Conclusion.MEASURED:
            measured = results.load.operations.values() if results.load is not None else ()
            requests = _count(sum(each.requests for each in measured), "request")
            return f"{requests} measured; no objective was set, so nothing is judged."


def _voids(results: Results) -> list[str]:
    untrusted = results.untrusted_reasons()
    if results.suite is not None and untrusted == results.suite.troubles():
        return [f"the suite did not run as a whole: {'; '.join(untrusted)}"]
    if untrusted:
        return [f"the run says nothing about the API: {'; '.join(untrusted)}"]
    share = _of(len(results.unmeasured()), len(results.verdicts()), "objective")
    return [f"{share} not met for want of a single sample: {'; '.join(results.void_reasons())}"]


def _failures(results: Results) -> list[str]:
    clauses = []
    if results.suite is not None:
        clauses += _failed_tests(results.suite)
    if findings := results.failing_findings():
        stand = "finding stands" if len(findings) == 1 else "findings stand"
        worst = "" if len(findings) == 1 else "the worst "
        clauses.append(f"{len(findings)} {stand} ({worst}{findings[0].severity})")
    if breached := results.breached():
        clauses.append(f"{_of(len(breached), len(results.verdicts()), 'objective')} breached")
    if drifting := results.drifting():
        clauses.append(f"{_named(drifting)} drifted")
    if found := results.capacity():
        clauses += capacity_clauses(found)
    if void := results.void_reasons():
        clauses.append(f"part of the run is void: {'; '.join(void)}")
    if results.aborted:
        clauses.append(f"the run was aborted because {results.aborted}")
    return clauses


def _failed_tests(suite: SuiteRecord) -> list[str]:
    clauses = []
    if failed := len(suite.failed()):
        clauses.append(f"{failed:,} of {_count(len(suite.collected), 'test')} failed")
    if broken := len(suite.uncollected()):
        clauses.append(f"{_count(broken, 'file')} could not be collected")
    return clauses


def _doubts(results: Results) -> list[str]:
    clauses = []
    if found := results.capacity():
        clauses += capacity_clauses(found)
    if open_verdicts := results.inconclusive():
        share = _of(len(open_verdicts), len(results.verdicts()), "objective")
        clauses.append(f"{share} undecided")
    if drifts := results.drifting(Movement.UNDECIDED):
        clauses.append(f"drift of {_named(drifts)} is undecided")
    if cells := results.cells(CoverageState.INCONCLUSIVE):
        clauses.append(f"{_tests(cells)} could not tell")
    if results.interrupted:
        clauses.append("the run was interrupted")
    if results.scan is not None and results.scan.cut_short is not None:
        clauses.append(f"the scan ended early ({results.scan.cut_short})")
    if results.stress is not None:
        return clauses
    if not clauses:
        return ["nothing was tested, so nothing is known"]
    aside = _set_aside(results)
    return ["nothing new is proven" if aside else "nothing bad is proven", *clauses, *aside]


def _successes(results: Results) -> list[str]:
    clauses = []
    if results.suite is not None:
        counts = results.suite.counts()
        others = [f"{number:,} {outcome}" for outcome, number in sorted(counts.items())
                  if outcome is not Outcome.PASSED]  # fmt: skip
        passed = f"{_count(counts[Outcome.PASSED], 'test')} of the suite passed"
        clauses.append(f"{passed} ({', '.join(others)})" if others else passed)
    cells = results.cells(CoverageState.PASSED)
    if cells or (results.scan is not None and not results.shards):
        clauses.append(f"{_tests(cells)} passed")
    if minor := results.findings():
        what = "finding is" if len(minor) == 1 else "findings are"
        clauses.append(f"{len(minor)} {what} too minor or too uncertain to fail the run")
    clauses += _set_aside(results)
    if verdicts := results.verdicts():
        all_met = (
            "the objective is" if len(verdicts) == 1 else f"all {len(verdicts)} objectives are"
        )
        clauses.append(f"{all_met} met")
    if left := results.left_to_load():
        clauses.append(f"{_count(len(left), 'objective')} more can be judged only under load")
    if results.drifts():
        clauses.append("nothing drifted")
    if found := results.capacity():
        clauses += capacity_clauses(found)
    return clauses or ["nothing of this shard can be tested"]


def _set_aside(results: Results) -> list[str]:
    """Findings that would fail the run but for what the team said about them."""
    if results.scan is None:
        return []
    known, accepted = len(results.scan.known), len(results.scan.suppressed)
    is_known = f"{_count(known, 'known finding')} {'is' if known == 1 else 'are'} still there"
    is_accepted = f"{_count(accepted, 'finding')} {'is' if accepted == 1 else 'are'} accepted"
    return [*([is_known] if known else []), *([is_accepted] if accepted else [])]


def _named(drifts: tuple[DriftVerdict, ...]) -> str:
    names = [each.quantity.value for each in drifts]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _tests(cells: tuple[Coverage, ...]) -> str:
    """How many cells of how many checks: a check is run on every operation that it concerns."""
    checks = len({cell.check for cell in cells})
    by = _count(checks, "check")
    return by if checks == len(cells) else f"{_count(len(cells), 'test')} by {by}"


def _joined_clauses(clauses: list[str]) -> str:
    text = clauses[0] if len(clauses) == 1 else f"{', '.join(clauses[:-1])} and {clauses[-1]}"
    return f"{text[0].upper()}{text[1:]}."


def _of(part: int, whole: int, noun: str) -> str:
    return f"{part} of {_count(whole, noun)} {'is' if part == 1 else 'are'}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
