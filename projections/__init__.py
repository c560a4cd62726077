"""The read side: everything here can be thrown away and rebuilt from the log."""
