"""Reading: cells of a table become arrays."""
