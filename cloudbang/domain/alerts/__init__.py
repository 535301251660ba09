"""When something is an alert, and who is told of it: pure, no clocks."""
