"""How well alerts find share spikes, against an oracle and the methods one would otherwise pick."""
