import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GENERATED = ROOT / "mailnode" / "pb"


def test_the_checked_in_code_is_what_the_protos_give(tmp_path: Path) -> None:
    if importlib.util.find_spec("grpc_tools") is None:
        pytest.skip("grpcio-tools is not installed")
    command = [sys.executable, "-m", "grpc_tools.protoc", "--proto_path=mailnode/pb=protos"]
    every = [f"mailnode/pb/{proto.name}" for proto in (ROOT / "protos").glob("*.proto")]
    out = [f"--python_out={tmp_path}", f"--pyi_out={tmp_path}"]
    subprocess.run([*command, *out, *every], cwd=ROOT, check=True)
    made = {path.name: path.read_text() for path in (tmp_path / "mailnode" / "pb").iterdir()}
    kept = {path.name: path.read_text() for path in GENERATED.glob("*_pb2*.py*")}
    assert made.keys() == kept.keys()
    stale = [name for name in made if _meant(made[name]) != _meant(kept[name])]
    assert not stale, "`make protos` makes them anew"


def _meant(code: str) -> list[str]:
    """Without the version of whichever compiler ran."""
    lines = [line.strip() for line in code.splitlines()]
    return [
        line
        for line in lines
        if not line.startswith(("#", "GRPC_GENERATED_VERSION")) and not line.rstrip(",").isdecimal()
    ]
