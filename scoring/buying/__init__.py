"""Likelihood to buy: the points card, the fitted buying pattern, and what the book teaches of both."""
