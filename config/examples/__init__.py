"""Tests of a rules file, as people write them."""
