"""What each step of a deployment does. Each can be entered again: what was done is found done."""
