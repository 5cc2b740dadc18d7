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
    """One figure of one workload: a cell for each server, and ours / peer where both ran."""

    workload: str
    figure: str
    cells: dict[str, list[float]]  # server -> a value for each repetition
    ratios: list[float]  # a value for each repetition; empty without a peer


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


def _ratios(cells: dict[str, list[float]], ours: str) -> list[float]:
    """Repetition by repetition, since the machine drifts between them."""
    peers = [values for server, values in cells.items() if server != ours]
    if ours not in cells or not peers:
        return []
    return [own / peer for own, peer in zip(cells[ours], peers[0], strict=True)]


def text(table: Sequence[Line], servers: Sequence[str]) -> str:
    """Markdown: median [min-max] for each server (ours first), then the ratio of the two."""
    ratio = [" / ".join(servers)] if len(servers) == 2 else []
    rows = [["workload", "figure", *servers, *ratio]]
    for line in table:
        cells = [_spread(line.cells[server]) for server in servers]
        rows.append([line.workload, line.figure, *cells, *([_spread(line.ratios)] if ratio else [])])
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    rows.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    )


def _spread(values: Sequence[float]) -> str:
    """`median [min-max]`, or the value alone."""
    if len(values) == 1:
        return f"{values[0]:.3g}"
    return f"{statistics.median(values):.3g} [{min(values):.3g}-{max(values):.3g}]"


def document(samples: Sequence[Sample], table: Sequence[Line]) -> dict[str, object]:
    """Everything, for a program to read."""
    return {
        "samples": [asdict(sample) for sample in samples],
        "medians": [
            {
                "workload": line.workload,
                "figure": line.figure,
                "median": {server: statistics.median(values) for server, values in line.cells.items()},
                "ratio": statistics.median(line.ratios) if line.ratios else None,
            }
            for line in table
        ],
    }
