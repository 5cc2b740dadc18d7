"""The processes below one process, read from /proc."""

from pathlib import Path


def descendants(process_id: int) -> list[int]:
    """Ids of `process_id` and of all that live below it, parents first."""
    children: dict[int, list[int]] = {}
    for child, parent in _parents().items():
        children.setdefault(parent, []).append(child)
    found = [process_id]
    for each in found:  # grows while it is read
        found += children.get(each, [])
    return found


def stat_fields(process_id: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on (field 3 of proc(5)); empty when it has ended."""
    try:
        text = Path(f"/proc/{process_id}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return text.rpartition(")")[2].split()


def _parents() -> dict[int, int]:
    process_ids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return {each: int(fields[1]) for each in process_ids if (fields := stat_fields(each))}
