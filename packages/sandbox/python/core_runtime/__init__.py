"""What a pack's Python may use of the program it runs in: health, metrics, deprecation (docs/core-runtime.md)."""
