"""What is kept of the CRM beside it: the copy of its records, the tags that were given, files beside the rules."""
