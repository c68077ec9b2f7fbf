"""The decision store: its client, its tables and views, who may do what. Knows no stage."""
