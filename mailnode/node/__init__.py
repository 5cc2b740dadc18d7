"""One node: its parts (`house`), what they say at which port (`services`, `doors`), what they do beside that
(`works`), and its life from start to end (`serving`). No other package constructs them."""

from mailnode.node.house import House, house, operator
from mailnode.node.serving import serve

__all__ = ["House", "house", "operator", "serve"]
