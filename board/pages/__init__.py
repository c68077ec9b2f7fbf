"""The pages, one module each: what it asks, and the template that shows it."""
