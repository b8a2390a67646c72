"""Open deals: how soon, how profitable, how much, and the chance of winning them."""
