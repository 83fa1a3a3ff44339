"""Tests of the network side; a package, so that its conftest does not collide with the one above."""
