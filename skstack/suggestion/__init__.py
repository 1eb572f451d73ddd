"""What a stack would use for a table that it is told nothing about: kinds of columns, branches and learners."""
