"""Who is let in, who may see and do what, and what keeps others' pages from acting in their name."""
