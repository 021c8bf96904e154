"""Cesista (2025), claim by claim, in the order of the text; then the revised forms and what is said of them."""
