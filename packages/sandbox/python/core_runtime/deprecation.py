"""What the use of something deprecated does, by RUMI_DEPRECATION_LEVEL: warn, error, silent or log."""
import functools

LEVELS = ("warn", "error", "silent", "log")
_level = "warn"


def get_deprecation_level():
    return _level


def set_level(level):
    """By whoever starts the process, before any code of a pack."""
    global _level
    if level not in LEVELS:
        raise ValueError("not one of %s: %r" % (", ".join(LEVELS), level))
    _level = level


def warn_deprecated(message, stacklevel=2):
    if _level == "error":
        raise DeprecationWarning(message)
    if _level == "warn":
        import warnings  # only where it is wanted: a block's start does not wait for it

        warnings.warn(message, DeprecationWarning, stacklevel=stacklevel + 1)
    elif _level == "log":
        import logging

        logging.getLogger("rumi.deprecation").warning(message)


def deprecated(since=None, removed_in=None, alternative=None):
    """Marks a function: each call of it is a use of something deprecated."""

    def mark(function):
        parts = ["%s is deprecated" % function.__qualname__]
        parts += ["since %s" % since] if since else []
        parts += ["and will be removed in %s" % removed_in] if removed_in else []
        message = " ".join(parts) + ("; use %s instead" % alternative if alternative else "")

        @functools.wraps(function)
        def marked(*args, **named):
            warn_deprecated(message, stacklevel=2)
            return function(*args, **named)

        return marked

    return mark
