"""Several snapshots of a load as one, for whoever takes them in less often than they come. Pure."""

from dataclasses import replace

from withstand.load.measurement import LoadMeasurement, OperationMeasurement


def joined(earlier: LoadMeasurement, later: LoadMeasurement) -> LoadMeasurement:
    """One snapshot that a `withstand.load.journal.Journal` takes in as it would the two."""
    operations = dict(earlier.operations)
    for name, operation in later.operations.items():
        known = operations.get(name)
        operations[name] = operation if known is None else _joined(known, operation)
    return replace(
        later,
        operations=operations,
        server_samples=(*earlier.server_samples, *later.server_samples),
    )


def _joined(earlier: OperationMeasurement, later: OperationMeasurement) -> OperationMeasurement:
    windows = {window.second: window for window in (*earlier.windows, *later.windows)}
    return replace(later, windows=tuple(windows[second] for second in sorted(windows)))
