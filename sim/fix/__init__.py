"""The simulated dealers as FIX 4.4 acceptors: one session each, one port for all."""
