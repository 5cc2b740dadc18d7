"""One node: its parts (`house`), what they say at which port (`services`, `doors`), what they do beside that
(`works`), and its life from start to end (`serving`). No other package constructs them. Several nodes of one
directory (`members`) are processes that one other keeps running (`supervisor`)."""

from mailnode.node.house import House, house, operator
from mailnode.node.members import locked, members
from mailnode.node.offline import offline
from mailnode.node.serving import serve
from mailnode.node.supervisor import Unstarted, supervise

__all__ = ["House", "Unstarted", "house", "locked", "members", "offline", "operator", "serve", "supervise"]
