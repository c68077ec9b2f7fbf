"""What goes into a clause and comes out of it: facts, measures, judgements, seams."""
