"""GitHub: a stand-in on loopback, and what we write there."""
