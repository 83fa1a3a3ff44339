"""Carrying plans out, over real HTTP, against a service and people that get in the way."""
