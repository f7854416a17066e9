"""What the README claims about speed, each a command."""
