"""HubSpot: `connect` makes the connector of one portal."""
