"""What must hold when something breaks: each test breaks one thing, really."""
