"""What a run found, for people: numbers, figures, and one page; reads tables and arrays only."""
