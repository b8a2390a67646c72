"""The commands by which an admin opens and shuts the way to the CRM."""
