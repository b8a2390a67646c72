"""The language of conditions and templates: names, kinds, units, and how conditions are read."""
