"""The CRMs: one contract, one transport, a connector for each, and a local CRM to try them on."""
