"""A synthetic market: writes what vendors would write, and dealers that answer over FIX."""
