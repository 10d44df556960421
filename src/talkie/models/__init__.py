"""The model store: models on a volume, by name. Knows nothing of engines; models are data and never run from here."""
