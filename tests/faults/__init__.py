"""Every fault that a run can meet, by the hundred, and a judge who believes only what the service has seen."""
