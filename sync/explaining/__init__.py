"""Why a record has its score: every point, the CRM's field and value behind it, and the line of the rules."""
