"""The atlas of bounds: what their sources say of them, measured, and hpgrid's own about them."""
