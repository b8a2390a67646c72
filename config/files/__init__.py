"""YAML files with positions, files laid over files, and their JSON Schemas."""
