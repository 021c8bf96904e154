"""The papers' closed forms: numbers in, numbers out. Nothing here imports what it is held against."""
