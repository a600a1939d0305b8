"""The accounts of runs from their first item to their sealing, so that no event is translated a second time for the loss report.

Law: an account that is given is the one that the run's own events would give (`sidecar.mapping`). Where that is not certain, none is
given and the sealer translates again: the run was begun by a process before this one, a transaction was rolled back, or there were
too many runs at once.
"""

from __future__ import annotations

from collections import OrderedDict

from semconv.account.account import Account
from sidecar.recorder.store import RunRow
from sidecar.translation import TranslatedItem

__all__ = ["Books"]

_ACCOUNTS_MAX = 512
"""An account takes some 10 KiB; beyond this many the oldest runs lose theirs."""


class Books:
    """Accounts by part of a run. The recorder fills them, the sealer takes them."""

    def __init__(self) -> None:
        self._accounts: OrderedDict[int, Account] = OrderedDict()

    def open(self, run: RunRow) -> None:
        """Begins the account of a part that has no item yet."""
        self._accounts[run.row] = Account()
        if len(self._accounts) > _ACCOUNTS_MAX:
            self._accounts.popitem(last=False)

    def enter(self, run: RunRow, item: TranslatedItem) -> None:
        """Enters an item that was recorded."""
        if account := self._accounts.get(run.row):
            account.add(item.view, item.translation)

    def take(self, run: RunRow) -> Account | None:
        """The account of a part, which is forgotten here; None when it is not known to be whole."""
        return self._accounts.pop(run.row, None)

    def clear(self) -> None:
        """Forgets all: what was entered may not have been recorded."""
        self._accounts.clear()
