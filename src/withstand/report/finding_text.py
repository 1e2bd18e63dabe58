"""One finding as plain text, the same in JUnit files and in messages of test items. Pure."""

from withstand.report.wording import outcome, printable, unnamed_sender
from withstand.scan.finding import Evidence, Finding

_LONGEST_CURL = 2_000


def place(finding: Finding) -> str:
    """The operations of a finding, or the whole API."""
    return ", ".join(printable(key) for key in finding.operations) or "the whole API"


def finding_text(finding: Finding) -> str:
    """What was found and where, the proof, the curl line that shows it, and what to do."""
    parameter = f", parameter {finding.parameter}" if finding.parameter else ""
    proof = finding.proof
    lines = [
        f"{finding.severity}: {finding.title}",
        f"{place(finding)}{parameter}",
        finding.detail,
        *(_evidence(item) for item in finding.evidence),
        *([f"$ {curl_of(proof)}"] if proof is not None and proof.curl else []),
        f"Fix: {' '.join(finding.remedy.split())}",
        f"{finding.check}, {finding.confidence}, {finding.fingerprint}",
    ]
    return "\n".join(printable(line) for line in lines)


def curl_of(proof: Evidence) -> str:
    """The curl line; of one that nobody would paste only what it would send."""
    if len(proof.curl) <= _LONGEST_CURL:
        return proof.curl
    return f"{proof.curl[:_LONGEST_CURL]}… ({len(proof.curl):,} characters)"


def _evidence(item: Evidence) -> str:
    request = item.exchange.request
    name = unnamed_sender(item)
    who = f" as {name}" if name else ""
    shown = f", proof: {cut(item.highlight, 200)}" if item.highlight else ""
    path = cut(request.path, 200)
    return f"→ {item.caption}{who}: {request.method} {path} → {outcome(item.exchange)}{shown}"


def cut(text: str, length: int) -> str:
    """The text, shortened to a number of characters where it is longer."""
    return text if len(text) <= length else f"{text[: length - 1]}…"
