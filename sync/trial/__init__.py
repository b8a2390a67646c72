"""Other rules tried on the whole book before they are put to use: what would change, in tables and on a page."""
