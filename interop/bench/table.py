"""What was measured, as a table and as JSON."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """One workload on one server, once."""

    workload: str
    server: str
    repetition: int
    figures: dict[str, float]


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of one workload: a cell for each server, and ours / peer for each peer."""

    workload: str
    figure: str
    cells: dict[str, list[float]]  # server -> a value for each repetition
    ratios: dict[str, list[float]]  # peer -> a value for each repetition; empty where ours did not run


def lines(samples: Sequence[Sample], ours: str) -> list[Line]:
    """The samples by workload and figure, in the order of their first appearance."""
    grouped: dict[tuple[str, str], dict[str, list[float]]] = {}
    for sample in samples:
        for figure, value in sample.figures.items():
            cells = grouped.setdefault((sample.workload, figure), {})
            cells.setdefault(sample.server, []).append(value)
    return [
        Line(workload, figure, cells, _ratios(cells, ours)) for (workload, figure), cells in grouped.items()
    ]


def _ratios(cells: dict[str, list[float]], ours: str) -> dict[str, list[float]]:
    """Repetition by repetition, since the machine drifts between them."""
    own = cells.get(ours, [])
    return {
        server: [one / other if other else 0.0 for one, other in zip(own, values, strict=True)]
        for server, values in cells.items()
        if server != ours and own
    }


def text(table: Sequence[Line], servers: Sequence[str]) -> str:
    """Markdown: median [min-max] for each server (ours first), then ours / peer for each peer."""
    ours, *peers = servers
    rows = [["workload", "figure", *servers, *(f"{ours} / {peer}" for peer in peers)]]
    for line in table:
        cells = [_spread(line.cells.get(server, [])) for server in servers]
        ratios = [_spread(line.ratios.get(peer, [])) for peer in peers]
        rows.append([line.workload, line.figure, *cells, *ratios])
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    rows.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    )


def _spread(values: Sequence[float]) -> str:
    """`median [min-max]`, or the value alone."""
    if not values:
        return "-"
    if len(values) == 1:
        return _figure(values[0])
    return f"{_figure(statistics.median(values))} [{_figure(min(values))}-{_figure(max(values))}]"


def _figure(value: float) -> str:
    """Three digits."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def document(samples: Sequence[Sample], table: Sequence[Line]) -> dict[str, object]:
    """Everything, for a program to read."""
    return {
        "samples": [asdict(sample) for sample in samples],
        "medians": [
            {
                "workload": line.workload,
                "figure": line.figure,
                "median": {server: statistics.median(values) for server, values in line.cells.items()},
                "ratios": {peer: statistics.median(values) for peer, values in line.ratios.items()},
            }
            for line in table
        ],
    }
