"""Many constants at once: what is swept, how a block of it is measured, and a store that loses nothing."""
