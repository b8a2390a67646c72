"""The small transactional store: runs, cursors, intents and outcomes, task keys, leases, and the admin's gates."""

from sync.ledger.fence import Lease
from sync.ledger.leases import LEASE
from sync.ledger.ledger import Item, ItemStatus, Ledger

__all__ = ["LEASE", "Item", "ItemStatus", "Lease", "Ledger"]
