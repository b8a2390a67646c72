"""HubSpot, as far as the connector and the official clients use it."""
