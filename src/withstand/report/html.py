"""Results as one self-contained HTML file. Pure.

The file loads nothing: styles, scripts and data are inlined, and its content security policy
forbids the rest. Everything that came from the API is escaped text.
"""

import json
import pkgutil
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Final

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from withstand.load.measurement import LoadMeasurement
from withstand.report import (
    access_view,
    charts,
    scan_wording,
    sparkline,
    stress_charts,
    stress_view,
    suite_view,
    trend_wording,
    trial_view,
    wording,
)
from withstand.report import html_view as view
from withstand.report.headline import headline
from withstand.report.memory_chart import memory_chart
from withstand.report.verdict_groups import verdict_groups
from withstand.results import Results
from withstand.scan.access_matrix import columns
from withstand.slo.trend import Trend
from withstand.units import (
    format_bytes,
    format_count,
    format_duration_ns,
    format_share,
)

_UPLOT: Final = "vendor/uplot-1.6.32"


def render_html(results: Results, trends: Sequence[Trend] = ()) -> str:
    """The whole report as the text of one HTML file. `trends` are those that the run continues,
    where a history is at hand.
    """
    page = _environment().get_template("report.html")
    load, drifts = results.load, results.drifts()
    found = results.capacity()
    rows = stress_view.step_rows(results, found) if found is not None else []
    promise = stress_view.shown_quantile(results.objectives)
    access_rows = access_view.shown(results.scan) if results.scan is not None else ()
    return page.render(
        results=results,
        headline=headline(results),
        access_rows=access_rows,
        access_columns=columns(access_rows),
        drifts=wording.drifts_by_urgency(drifts),
        memory_chart=memory_chart(drifts, load.server_samples) if load is not None else None,
        groups=verdict_groups(results.verdicts()),
        matrix=view.matrix(results.scan) if results.scan is not None else None,
        whole_api=view.whole_api(results.scan) if results.scan is not None else (),
        gaps=scan_wording.gaps(results),
        tiles=view.tiles(results),
        started=datetime.fromtimestamp(results.started_at, UTC),
        curves=view.curves(load) if load is not None else [],
        load_facts=view.load_facts(load) if load is not None else [],
        found=found,
        trends=trends,
        steps=rows,
        answered=stress_charts.answered_chart(rows, found.bracket) if found and rows else None,
        quantiles=stress_charts.quantile_chart(
            rows, found.bracket, promise.limit if promise is not None else None
        )
        if found and rows
        else None,
        data=_json(_chart_data(results, load) if load is not None else {}),
        css=Markup(_text("templates/report.css")),  # noqa: S704 - a file of this package
        script=Markup(_text("templates/report.js")),  # noqa: S704 - a file of this package
        uplot_css=Markup(_text(f"{_UPLOT}/uPlot.min.css")),  # noqa: S704 - a vendored file
        uplot_script=Markup(_text(f"{_UPLOT}/uPlot.iife.min.js")),  # noqa: S704 - a vendored file
        uplot_license=_text(f"{_UPLOT}/LICENSE"),
    )


def _chart_data(results: Results, load: LoadMeasurement) -> dict[str, object]:
    return {
        "series": view.series(load),
        "memory": _memory(results),
        "warmUp": load.warm_up_s,
    }


def _memory(results: Results) -> dict[str, list[float]]:
    samples = results.load.server_samples if results.load is not None else ()
    read = [(sample.at_s, sample.rss_bytes) for sample in samples if sample.rss_bytes is not None]
    return {
        "second": [at_s for at_s, _ in read],
        "mb": [rss_bytes / 1_000_000 for _, rss_bytes in read],
    }


def _json(data: object) -> Markup:
    # Escaped `<` can neither close the script element nor open a comment in it.
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return Markup(text)  # noqa: S704 - JSON in ASCII in which nothing is left to be read as HTML


def _prose(text: str) -> Markup:
    """Escaped text in which what stands between backticks is code."""
    parts = wording.printable(text).split("`")
    if len(parts) % 2 == 0:  # a backtick without its partner is only a backtick
        return escape("`".join(parts))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if index % 2 else part
        for index, part in enumerate(parts)
    )


def _text(name: str) -> str:
    data = pkgutil.get_data("withstand.report", name)
    if data is None:
        raise AssertionError(f"the package has lost its file {name}")
    return data.decode("utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(lambda name: _text(f"templates/{name}")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "bytes": format_bytes,
        "count": format_count,
        "duration": format_duration_ns,
        "share": format_share,
        "printable": wording.printable,
        "prose": _prose,
    }
    environment.globals |= {
        "access_view": access_view,
        "charts": charts,
        "sparkline": sparkline,
        "stress_view": stress_view,
        "suite_view": suite_view,
        "trial_view": trial_view,
        "scan_wording": scan_wording,
        "trend_wording": trend_wording,
        "view": view,
        "wording": wording,
    }
    return environment
