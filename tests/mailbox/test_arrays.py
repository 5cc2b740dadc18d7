"""The arrays of a mailbox are the list of its entries, however changes come; what sessions hold stays."""

from __future__ import annotations

from array import array

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mailnode.mailbox.arrays import Arrays
from mailnode.mailbox.rows import ENTRY, ENTRY_OCTETS, SEEN
from mailnode.pb.change_pb2 import Change, Dropped, Entries
from mailnode.pb.row_pb2 import Keywords

MAILBOX, OTHER = 4, 5


def packed(uid: int, modified: int, flags: int) -> bytes:
    return ENTRY.pack(uid * 10, 1, modified, flags, 0, 7, 0, uid)


class AsAList(RuleBasedStateMachine):
    """The entries of a mailbox as a dictionary, and every change applied to both."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[int, bytes] = {}
        self.overflow: dict[int, list[str]] = {}
        self.held: list[tuple[array[int], int, list[int]]] = []
        self.modified = 1
        self.uid_next = 1

    @initialize(count=st.integers(0, 12))
    def load(self, count: int) -> None:
        self.entries = {uid: packed(uid, 1, uid % 3 * SEEN) for uid in range(1, count + 1)}
        self.uid_next = count + 1
        self.arrays = Arrays(bytearray(b"".join(self.entries.values())), {})

    def commit(self, change: Change) -> None:
        before = self.arrays.uids, len(self.arrays.uids), self.arrays.uids.tolist()
        self.held.append(before)
        self.arrays.commit(MAILBOX, change)

    @rule(count=st.integers(1, 4), flags=st.sampled_from((0, SEEN)), names=st.lists(st.just("k"), max_size=1))
    def add(self, count: int, flags: int, names: list[str]) -> None:
        self.modified += 1
        change = Change()
        for uid in range(self.uid_next, self.uid_next + count):
            self.entries[uid] = packed(uid, self.modified, flags)
            entries = change.entries.add(mailbox=MAILBOX, entries=self.entries[uid], placed=True)
            if names:
                self.overflow[uid] = names
                entries.overflow[uid].names.extend(names)
        change.entries.add(mailbox=OTHER, entries=packed(self.uid_next, 1, 0))
        self.uid_next += count
        self.commit(change)

    @rule(data=st.data(), flags=st.sampled_from((0, SEEN)))
    def store(self, data: st.DataObject, flags: int) -> None:
        uids = self.some(data)
        self.modified += 1
        entries = Entries(mailbox=MAILBOX)
        for uid in uids:
            self.entries[uid] = packed(uid, self.modified, flags)
            entries.entries += self.entries[uid]
            if self.overflow.pop(uid, None):
                entries.overflow[uid].CopyFrom(Keywords())
        self.commit(Change(entries=[entries]))

    @rule(data=st.data())
    def drop(self, data: st.DataObject) -> None:
        gone = {uid: self.entries.pop(uid) for uid in self.some(data)}
        for uid in gone:
            self.overflow.pop(uid, None)
        dropped = [Dropped(mailbox=MAILBOX, entries=b"".join(gone.values()))]
        dropped.append(Dropped(mailbox=OTHER, entries=b"".join(self.entries.values())))
        self.commit(Change(entries_dropped=dropped))
        self.commit(Change(entries_dropped=dropped[:1]))  # twice is as once

    @rule(data=st.data())
    def what_is_left_is_made_beside(self, data: st.DataObject) -> None:
        uids = self.some(data)
        before = self.arrays
        self.arrays = before.without(uids)
        assert before.uids.tolist() == sorted(self.entries)
        for uid in uids:
            del self.entries[uid]
            self.overflow.pop(uid, None)

    @rule(data=st.data())
    def move_within(self, data: st.DataObject) -> None:
        uids = self.some(data)
        gone = b"".join(self.entries.pop(uid) for uid in uids)
        for uid in uids:
            self.overflow.pop(uid, None)
        new = range(self.uid_next, self.uid_next + len(uids))
        self.uid_next += len(uids)
        self.entries |= {uid: packed(uid, self.modified, 0) for uid in new}
        entries = b"".join(self.entries[uid] for uid in new)
        change = Change(entries_dropped=[Dropped(mailbox=MAILBOX, entries=gone)])
        change.entries.add(mailbox=MAILBOX, entries=entries, placed=True)
        self.commit(change)

    @rule(uid=st.integers(1, 60), data=st.data())
    def store_what_went(self, uid: int, data: st.DataObject) -> None:
        """A change read before it came again: messages that went later are passed over."""
        if uid not in self.entries and uid < max(self.entries, default=0):
            self.commit(Change(entries=[Entries(mailbox=MAILBOX, entries=packed(uid, 1, 0))]))

    def some(self, data: st.DataObject) -> list[int]:
        if not self.entries:
            return []
        return sorted(data.draw(st.sets(st.sampled_from(sorted(self.entries)), max_size=14)))

    @invariant()
    def entries_and_uids_are_the_list(self) -> None:
        uids = sorted(self.entries)
        assert self.arrays.uids.tolist() == uids
        assert bytes(self.arrays.entries) == b"".join(self.entries[uid] for uid in uids)
        assert {uid: list(k.names) for uid, k in self.arrays.overflow.items()} == self.overflow
        assert self.arrays.octets == len(uids) * (ENTRY_OCTETS + 4)

    @rule()
    def the_first_unseen_is_found(self) -> None:
        unseen = [uid for uid in sorted(self.entries) if not ENTRY.unpack(self.entries[uid])[3] & SEEN]
        assert self.arrays.first_unseen() == (unseen[0] if unseen else 0)

    @rule(first=st.integers(0, 30), length=st.integers(0, 30))
    def ranges_are_cut(self, first: int, length: int) -> None:
        uids = [uid for uid in sorted(self.entries) if first <= uid <= first + length]
        cuts = [self.arrays.cut(*each) for each in self.arrays.slices([(first, first + length)])]
        assert b"".join(cuts) == b"".join(self.entries[uid] for uid in uids)
        assert all(cuts)
        for uid in range(first, first + 3):
            index = self.arrays.index(uid)
            assert (index >= 0) == (uid in self.entries)
            assert index < 0 or self.arrays.uids[index] == uid

    @invariant()
    def what_sessions_hold_stays(self) -> None:
        for uids, count, seen in self.held:
            assert uids[:count].tolist() == seen


TestArrays = AsAList.TestCase
TestArrays.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
