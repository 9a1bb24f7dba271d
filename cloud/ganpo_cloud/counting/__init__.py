"""What the province counts: the ledger from day to day, production days, consumption, and their sums by place.

Everything here is recomputed from facts and registry when something of it was marked dirty.
"""
