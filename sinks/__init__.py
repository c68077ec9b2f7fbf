"""Where records and pages end up: the decision store and the pager's channels."""
