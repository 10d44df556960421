"""WebSocket doors of the HTTP server: `socket` is what they share, one file each is the rest."""
