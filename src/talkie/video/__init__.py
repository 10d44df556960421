"""Moving pictures: crops of faces, what is pasted into them, how they are encoded and put into files.

Knows nothing of engines.
"""
