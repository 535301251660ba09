"""How often which pattern of lines came: counted by a process of its own, on what is stored."""
