"""The service: what keeps a worker running for months beside its CRMs, and says how it is.

Nothing here reads a record: each run is a process of its own, so that the waiting parent stays small.
"""
