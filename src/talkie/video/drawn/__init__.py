"""The avatar that Talkie draws by itself: curves and colours, a mouth that takes any shape, and a little life.

Knows nothing of sound or of time in seconds of speech: `pipeline/face_drawn.py` says which mouth is wanted when.
Lengths are in units: the whole picture is 512 of them high (or wide, whichever is less), whatever its pixels.
"""
