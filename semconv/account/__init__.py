"""Where every atom of telemetry went: the books of translations, and what the tables make of given telemetry."""
