"""How the measurements of generators that ran side by side become one. Pure."""

from withstand.errors import UsageError
from withstand.load.measurement import (
    GeneratorHealth,
    LoadMeasurement,
    OperationMeasurement,
    ServerSample,
)
from withstand.load.script_record import merge_records
from withstand.load.shards import joined_shards
from withstand.load.window import summed, united


def merge_measurements(first: LoadMeasurement, second: LoadMeasurement) -> LoadMeasurement:
    """One measurement of two generators (shards or processes), exactly: histograms and counts add.

    The generators ran side by side: the whole lasts as long as the longest, and a second is the
    same second in both, counted from each one's start. Associative. Raises UsageError for different
    models, because an open and a closed model answer different questions, and for shards that are
    not parts of one load.
    """
    if first.model != second.model:
        raise UsageError(
            f"a run of the {first.model} model cannot be merged with one of the {second.model}",
            hint="merge only shards of one run",
        )
    operations = dict(first.operations)
    for name, measurement in second.operations.items():
        known = operations.get(name)
        operations[name] = measurement if known is None else _summed(known, measurement)
    samples = (*first.server_samples, *second.server_samples)
    return LoadMeasurement(
        model=first.model,
        profile=_both(first.profile, second.profile, " + "),
        started_at=min(first.started_at, second.started_at),
        duration_s=max(first.duration_s, second.duration_s),
        offered=first.offered + second.offered,
        sent=first.sent + second.sent,
        late=first.late + second.late,
        unanswered=first.unanswered + second.unanswered,
        operations=operations,
        generator=_health(first.generator, second.generator),
        server_samples=tuple(sorted(samples, key=_in_time)),
        probe_trouble=_either(first.probe_trouble, second.probe_trouble),
        left_out={
            name: why
            for name, why in {**second.left_out, **first.left_out}.items()
            if name not in operations
        },
        script=merge_records(first.script, second.script),
        conditions=tuple(dict.fromkeys((*first.conditions, *second.conditions))),
        interrupted=first.interrupted or second.interrupted,
        shards=joined_shards(first, second),
        warm_up_s=max(first.warm_up_s, second.warm_up_s),
        aborted=_either(first.aborted, second.aborted),
    )


def _health(first: GeneratorHealth, second: GeneratorHealth) -> GeneratorHealth:
    fuller = max(first, second, key=_fullness)
    return GeneratorHealth(
        cpu_share=max(first.cpu_share, second.cpu_share),
        send_lag=first.send_lag + second.send_lag,
        loop_lag=first.loop_lag + second.loop_lag,
        gc_pauses=first.gc_pauses + second.gc_pauses,
        descriptors=fuller.descriptors,
        descriptor_limit=fuller.descriptor_limit,
        processes=first.processes + second.processes,
        saturated=_either(first.saturated, second.saturated),
        lagging=_either(first.lagging, second.lagging),
        lost=_either(first.lost, second.lost),
    )


def _fullness(health: GeneratorHealth) -> tuple[float, int, int]:
    used, limit = health.descriptors or 0, health.descriptor_limit
    return (used / limit if limit else 0.0, used, limit or 0)


def _in_time(sample: ServerSample) -> tuple[float, ...]:
    # All of the sample, so that the order does not depend on which generator came first.
    read = (sample.rss_bytes, sample.descriptors, sample.threads, sample.cpu_s, sample.started_at)
    return (sample.at_s, *(-1 if value is None else value for value in read))


def _either(one: str | None, two: str | None) -> str | None:
    return _both(one, two, "; ") if one and two else one or two


def _summed(first: OperationMeasurement, second: OperationMeasurement) -> OperationMeasurement:
    return OperationMeasurement(
        operation=first.operation,
        bytes_sent=first.bytes_sent + second.bytes_sent,
        windows=united((*first.windows, *second.windows)),
        **summed((first, second)),
    )


def _both(first: str, second: str, separator: str) -> str:
    return separator.join(dict.fromkeys((*first.split(separator), *second.split(separator))))
