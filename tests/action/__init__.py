"""The GitHub Action: its steps played by a runner, and its parts."""
