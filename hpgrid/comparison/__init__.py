"""What bounds, studies and a person's runs say of the same questions, side by side."""
