"""Dealers over FIX 4.4: venue profiles, the codec, and the engine behind the gateway port."""
