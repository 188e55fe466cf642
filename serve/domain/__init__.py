"""Pure: functions and immutable values. Time, identifiers and randomness are passed in."""
